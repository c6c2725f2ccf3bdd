"""User data of an execution point, to which an app can add parts and commands."""

import re
from collections.abc import Mapping

import jsii
from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from constructs import IConstruct, IValidation

from annex_boot.settings import EpSettings
from annex_boot.user_data import BOUNDARY, EC2_USER_DATA_BYTES, multipart, user_data_parts
from annex_constructs.errors import invalid_value

# References are ids and ARNs; only a secret's or a role's name can make one longer.
_REFERENCE_BYTES = 256
_BOUNDARY_LINE = re.compile(rf"^--{re.escape(BOUNDARY)}", re.MULTILINE)


class ExecutionPointUserData(ec2.MultipartUserData):
    r"""User data of an execution point: a MIME multipart text for cloud-init, to which an app can add.

    It is `annex.fleet.user_data`, and `annex.fleet.launch_template.user_data` is the same object. Everything in it runs
    as root, in the order of cloud-init's stages ("Boot stages" and "User-data formats" of its documentation):

    1. `add_commands_before_start`, on every boot, before anything of the execution point is there. It waits for them.
    2. `bootcmd` and `write_files` of cloud-configs that were added with `add_part`. Those of the execution point come
       after them: its parts are the last of the text, and append to the lists of the others.
    3. The execution point: settings, firewall, HTCondor. It joins the pool, and jobs may start.
    4. `packages` of cloud-configs, then `add_commands` and the script parts that were added with `add_part`, once, in
       cloud-init's last stage: while the execution point joins or after that.

    A command that fails is in the log of cloud-init and stops nothing. All parts together may have 16 KB.

    Example::

        user_data: ExecutionPointUserData = annex.fleet.user_data
        user_data.add_commands_before_start("mkdir -p /scratch")
        user_data.add_commands("logger 'cloud-init has finished'")
        config = "#cloud-config\npackages: [jq]"
        part = ec2.MultipartBody.from_raw_body(content_type="text/cloud-config", body=config)
        user_data.add_part(part)

    :param settings: settings of the execution point.
    """

    def __init__(self, settings: EpSettings) -> None:
        super().__init__(parts_separator=BOUNDARY)
        self._own = user_data_parts(settings)
        self._added: list[ec2.MultipartBody] = []
        self._before = ec2.UserData.for_linux()
        self._commands = ec2.UserData.for_linux()
        # All methods of `UserData` add to the default; it becomes a part only when there is a command in it.
        self.add_user_data_part(self._commands, ec2.MultipartBody.SHELL_SCRIPT, True)
        self._added.clear()

    @jsii.member(jsii_name="addPart")
    def add_part(self, part: ec2.MultipartBody) -> None:
        """Add a part; it comes before those of the execution point and after those that were added already.

        :param part: the part. cloud-init runs a part of type `text/cloud-boothook` at once, a script in its last stage.
        :raises ValueError: it is no part.
        """
        if not isinstance(part, ec2.MultipartBody):
            raise invalid_value(
                "ExecutionPointUserData part",
                received=part,
                allowed="an ec2.MultipartBody",
                fix="pass ec2.MultipartBody.from_raw_body(content_type=..., body=...), or use add_commands",
            )
        self._added.append(part)

    def add_commands_before_start(self, *commands: str) -> None:
        """Add shell commands that run on every boot before the execution point is installed and started.

        They delay it: nothing of it runs before they end, and an instance that hangs in them ends with its lease only.

        :param commands: lines of a bash script.
        """
        self._before.add_commands(*commands)

    @property
    def parts_of_app(self) -> list[str]:
        """The parts that the app added, in their order, each with its headers."""
        parts = [
            *_if_any(self._before, ec2.MultipartBody.CLOUD_BOOTHOOK),
            *self._added,
            *_if_any(self._commands, ec2.MultipartBody.SHELL_SCRIPT),
        ]
        return ["\n".join(part.render_body_part()) for part in parts]

    @jsii.member(jsii_name="render")
    def render(self) -> str:
        """The multipart text; the same for the same settings and parts."""
        return multipart([*self.parts_of_app, *self._own])


def _if_any(commands: ec2.UserData, content_type: str) -> list[ec2.MultipartBody]:
    if commands.render() == ec2.UserData.for_linux().render():
        return []
    return [ec2.MultipartBody.from_user_data(commands, content_type)]


@jsii.implements(IValidation)
class UserDataValidation:
    """Refuses user data at synthesis that EC2 would refuse at every launch, or that cloud-init could not take apart.

    :param scope: construct that the errors name.
    :param user_data: the user data.
    """

    def __init__(self, scope: IConstruct, user_data: ExecutionPointUserData) -> None:
        self._scope = scope
        self._user_data = user_data

    def validate(self) -> list[str]:
        """The problems found, once every part has been added."""
        path = self._scope.node.path
        problems = []
        if any(_BOUNDARY_LINE.search(part) for part in self._user_data.parts_of_app):
            problems.append(
                f"a part of the user data of {path} has a line that begins with '--{BOUNDARY}', allowed is any other "
                "text, because this line separates the parts; fix: write another line, or encode the part in base64"
            )
        size = _size(Stack.of(self._scope).resolve(self._user_data.render()))
        if size > EC2_USER_DATA_BYTES:
            problems.append(
                f"the user data of {path} has {size} bytes, allowed are {EC2_USER_DATA_BYTES}, with "
                f"{_REFERENCE_BYTES} for each value that CloudFormation fills in; fix: put long scripts into the "
                "image, or into a bucket with a command that fetches them"
            )
        return problems


def _size(value: object) -> int:
    """Bytes of a resolved text; of what CloudFormation fills in, an estimate."""
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, Mapping) and len(value) == 1:
        ((function, argument),) = value.items()
        if function == "Fn::Join":
            delimiter, parts = argument
            return sum(map(_size, parts)) + len(delimiter) * (len(parts) - 1)
        if function == "Fn::Base64":
            return (_size(argument) + 2) // 3 * 4
    return _REFERENCE_BYTES
