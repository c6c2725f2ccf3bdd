"""Messages of AWS about failed launches: kind of the advice, place where the message was seen, and the message.

`GUIDE`: EC2 Auto Scaling User Guide, "Troubleshoot Amazon EC2 Auto Scaling". `REPORTS`: public reports of groups of
Amazon EKS, whose message is that of the activity. Others are issues on GitHub. `EC2`: an error of the EC2 API, seen
there or in its reference, in the frame that EC2 Auto Scaling gives it.
"""

from __future__ import annotations

GUIDE, REPORTS, EC2 = "EC2 Auto Scaling User Guide", "public reports", "EC2 API"
FAILED = "Launching EC2 instance failed."
DIED = "Instance became unhealthy while waiting for instance to be in InService state. Termination Reason: "
ON_DEMAND, SPOT = "Could not launch On-Demand Instances. ", "Could not launch Spot Instances. "

MESSAGES = (
    (
        "on-demand-quota",
        "kubernetes/kops#15778",
        "You have requested more vCPU capacity than your current vCPU limit of 384 allows for the instance bucket that "
        "the specified instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request to request "
        f"an adjustment to this limit. {FAILED}",
    ),
    (
        "on-demand-quota",
        REPORTS,
        f"{ON_DEMAND}VcpuLimitExceeded - You have requested more vCPU capacity than your current vCPU limit of 0 "
        "allows for the instance bucket that the specified instance type belongs to. Please visit "
        f"http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit. {FAILED}",
    ),
    (
        "on-demand-quota",
        "widdix/aws-s3-virusscan#55",
        "You have requested more instances (1) than your current instance limit of 0 allows for the specified instance "
        "type. Please visit http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit. "
        f"{FAILED}",
    ),
    ("spot-quota", "aws-deepracer-community/deepracer-on-the-spot#55", f"Max spot instance count exceeded. {FAILED}"),
    ("spot-quota", EC2, f"{SPOT}MaxSpotInstanceCountExceeded - Max spot instance count exceeded. {FAILED}"),
    (
        "fleet-quota",
        REPORTS,
        f"You've reached your quota for maximum Fleet Requests for this account. {FAILED}",
    ),
    ("volume-quota", REPORTS, f"{DIED}Client.VolumeLimitExceeded: Volume limit exceeded"),
    (
        "free-plan",
        REPORTS,
        f"{ON_DEMAND}InvalidParameterCombination - The specified instance type is not eligible for Free Tier. For a "
        "list of Free Tier instance types, run 'describe-instance-types' with the filter 'free-tier-eligible=true'. "
        f"{FAILED}",
    ),
    (
        "capacity",
        GUIDE,
        "We currently do not have sufficient c6a.large capacity in the Availability Zone you requested (us-east-1a). "
        "Our system will be working on provisioning additional capacity. You can currently get c6a.large capacity by "
        f"not specifying an Availability Zone in your request or choosing us-east-1b, us-east-1d. {FAILED}",
    ),
    (
        "capacity",
        REPORTS,
        f"{ON_DEMAND}InsufficientInstanceCapacity - We currently do not have sufficient g6.2xlarge capacity in the "
        f"Availability Zone you requested (us-east-1a). {FAILED}",
    ),
    (
        "capacity",
        "buildkite/elastic-ci-stack-for-aws#851",
        f"{SPOT}UnfulfillableCapacity - Unable to fulfill capacity due to your request configuration. Please adjust "
        f"your request and try again. {FAILED}",
    ),
    (
        "capacity",
        REPORTS,
        f"{SPOT}UnfulfillableCapacity - There is no capacity available that matches your request. {FAILED}",
    ),
    (
        "capacity",
        "aws/aws-parallelcluster#1944",
        f"There is no Spot capacity available that matches your request. {FAILED}",
    ),
    (
        "type-not-offered",
        GUIDE,
        "Your requested instance type (c7a.large) is not supported in your requested Availability Zone (us-east-1a). "
        "Please retry your request by not specifying an Availability Zone or choosing us-east-1b, us-east-1c. "
        f"{FAILED}",
    ),
    (
        "type-not-offered",
        "mludvig/aws-ethereum-miner#23",
        f"{SPOT}InvalidFleetConfiguration - Your requested instance type (p3.8xlarge) is not supported in your "
        f"requested Availability Zone (us-east-2c). {FAILED}",
    ),
    (
        "type-not-offered",
        GUIDE,
        "The requested configuration is currently not supported. Please check the documentation for supported "
        f"configurations. {FAILED}",
    ),
    ("image-gone", GUIDE, f"The AMI ID ami-0123456789abcdef0 does not exist. {FAILED}"),
    ("image-gone", "EC2 Auto Scaling API Reference", f"The image id 'ami-4edb0327' does not exist. {FAILED}"),
    (
        "image-gone",
        REPORTS,
        f"{ON_DEMAND}InvalidAMIID.NotFound - The image id '[ami-02c7e84c65fcfecee]' does not exist. {FAILED}",
    ),
    ("image-unavailable", GUIDE, f"AMI ami-0123456789abcdef0 is pending, and cannot be run. {FAILED}"),
    ("image-unavailable", GUIDE, f"AMI 'ami-0123456789abcdef0' is disabled, and cannot be run. {FAILED}"),
    (
        "image-not-shared",
        "Orange-Cyberdefense/GOAD#304",
        f"Not authorized for images: [ami-03a5b89a2fbe7dd3d]. {FAILED}",
    ),
    (
        "image-not-shared",
        "DataBiosphere/toil#3512",
        f"{ON_DEMAND}AuthFailure - Not authorized for images: [ami-03a5b89a2fbe7dd3d]. {FAILED}",
    ),
    (
        "marketplace",
        EC2,
        "In order to use this AWS Marketplace product you need to accept terms and subscribe. To do so please visit "
        f"https://aws.amazon.com/marketplace/pp?sku=aw0evgkw8e5c1q413zgy5pjce. {FAILED}",
    ),
    (
        "architecture",
        "aws/aws-cdk#20758",
        "The architecture 'arm64' of the specified instance type does not match the architecture 'x86_64' of the "
        "specified AMI. Specify an instance type and an AMI that have matching architectures, and try again. You can "
        "use 'describe-instance-types' or 'describe-images' to discover the architecture of the instance type or AMI. "
        f"{FAILED}",
    ),
    (
        "architecture",
        "howdio/terraform-aws-eks#21",
        "The requested instance type's architecture (x86_64) does not match the architecture in the manifest for "
        f"ami-08e10400108cec7e7 (arm64). {FAILED}",
    ),
    (
        "volume-size",
        "DNXLabs/terraform-aws-ecs#24",
        f"{SPOT}InvalidBlockDeviceMapping - Volume of size 22GB is smaller than  snapshot 'snap-0b5c5ea11d58e1fec', "
        f"expect size >= 30GB. {FAILED}",
    ),
    ("device", GUIDE, f"Invalid device name upload. {FAILED}"),
    ("key", "gruntwork-io/terratest#693", f"{DIED}Client.InternalError: Client error on launch"),
    (
        "key",
        REPORTS,
        f"{DIED}Client.InvalidKMSKey.InvalidState: The KMS key provided is in an incorrect state",
    ),
    (
        "subnet-full",
        "PrairieLearn/PrairieLearn#3271",
        "There are not enough free addresses in subnet 'subnet-66d3dd2c' to satisfy the requested number of instances. "
        f"{FAILED}",
    ),
    (
        "subnet-full",
        "aws/karpenter-provider-aws#3380",
        f"{ON_DEMAND}InsufficientFreeAddressesInSubnet - There are not enough free addresses in subnet "
        f"'subnet-0783288fba3453a60' to satisfy the requested number of instances. {FAILED}",
    ),
    (
        "tag-key",
        "kubernetes/cloud-provider-aws#436",
        "'kubernetes.io/cluster/my-cluster' is not a valid tag key. Tag keys must match pattern "
        "([0-9a-zA-Z\\\\-_+=,.@:]{1,255}), and must not be a reserved name ('.', '..', '_index'). " + FAILED,
    ),
    (
        "tag-policy",
        "hashicorp/terraform-provider-aws#35639",
        "TagPolicyViolation - The tag policy does not allow the specified value for the following tag key: "
        f"'CostCenter'. {FAILED}",
    ),
    (
        "instance-profile",
        "CiscoDevNet/cloud-cml#4",
        "Value (s3-access-for-ec2) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile "
        f"name. {FAILED}",
    ),
    ("network-gone", GUIDE, f"The security group sg-0123456789abcdef0 does not exist. {FAILED}"),
    ("network-gone", "ansible/ansible-modules-core#486", f"The subnet ID 'subnet-1234' does not exist. {FAILED}"),
    ("network-gone", EC2, f"InvalidVpcID.NotFound - The vpc ID 'vpc-1' does not exist. {FAILED}"),
    (
        "template-gone",
        EC2,
        "InvalidLaunchTemplateId.NotFound - The specified launch template, with template ID lt-1, does not exist. "
        f"{FAILED}",
    ),
    (
        "denied",
        "aws/karpenter-provider-aws#7370",
        f"{ON_DEMAND}UnauthorizedOperation - You are not authorized to perform this operation. User: "
        "arn:aws:sts::123456789012:assumed-role/AWSServiceRoleForAutoScaling/AutoScaling is not authorized to perform: "
        "ec2:RunInstances on resource: arn:aws:ec2:us-east-2:123456789012:instance/* with an explicit deny in a "
        f"service control policy. Encoded authorization failure message: g4oZPBqZ4Bni8dE5dGjxYTnOZ. {FAILED}",
    ),
    (
        "verification",
        "openshift/installer#1709",
        f"{ON_DEMAND}PendingVerification - Your request for accessing resources in this region is being validated, and "
        "you will not be able to launch additional resources in this region until the validation is complete. We will "
        "notify you by email once your request has been validated. While normally resolved within minutes, please "
        f"allow up to 4 hours for this process to complete. {FAILED}",
    ),
    (
        "verification",
        "galaxyproject/cloudlaunch#150",
        "Your account is currently being verified. Verification normally takes less than 2 hours. Until your account "
        f"is verified, you may not be able to launch additional instances or create additional volumes. {FAILED}",
    ),
    (
        "account",
        REPORTS,
        f"This account is currently blocked and not recognized as a valid account. {FAILED}",
    ),
    ("account", GUIDE, f"You are not subscribed to this service. Please see https://aws.amazon.com/. {FAILED}"),
    (
        "spot-role",
        "LeanerCloud/AutoSpotting#187",
        f"{SPOT}AuthFailure.ServiceLinkedRoleCreationNotPermitted - The provided credentials do not have permission to "
        f"create the service-linked role for EC2 Spot Instances. {FAILED}",
    ),
    ("new-role", REPORTS, f"Authentication Failure. {FAILED}"),
    (
        "shut-down",
        EC2,
        f"{DIED}Client.InstanceInitiatedShutdown: Instance initiated shutdown",
    ),
    ("passing", "cloudcaptainsh/cloudcaptain#204", f"{DIED}Server.InternalError: Internal error on launch"),
)
