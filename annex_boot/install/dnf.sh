# shellcheck shell=sh
# shellcheck disable=SC2154 # variables of `install`
# Packages of Amazon Linux and of the systems that are compatible with Enterprise Linux.

# Of every call. Here, because each step runs in a process of its own.
options=
[ "$extra_repository" = - ] || options=--enablerepo=$extra_repository
if [ -n "$package_mirror" ] && [ "$mirrored" != - ]; then
    options='--disablerepo=* --enablerepo=annex-*'
fi

# Adds HTCondor's repository and what its packages need: EPEL, and the repository that EPEL needs. dnf verifies each
# package. It does not verify the lists of HTCondor's repositories, whose signatures it finds bad.
add_repositories() {
    key_urls=
    for key in $keys; do key_urls="$key_urls file://$key"; done
    print_repository htcondor "$repository" "$key_urls" repo_gpgcheck=0 priority=1 >/etc/yum.repos.d/annex.repo
    without_epel=
    case $options in
    --disablerepo*)
        mirror_repositories >>/etc/yum.repos.d/annex.repo
        without_epel=--disablerepo=annex-epel
        ;;
    esac
    # From the system's own packages, which dnf can verify: EPEL's key comes with it.
    # shellcheck disable=SC2086 # nothing, or an option
    [ "$epel" = - ] || dnf_get install $without_epel epel-release || return
    dnf_get makecache
}

# add_repository NAME KEY URL [SETTING...]: adds a component's repository; the key of that name signs its packages.
add_repository() {
    name=$1 key=$2 url=$3
    shift 3
    print_repository "$name" "$url" "file://$here/$key" "$@" >"/etc/yum.repos.d/annex-$name.repo"
    dnf_get makecache
}

# The OSG's packages of release 25 (https://osg-htc.org/docs/common/yum/), which its key signs as HTCondor's. HTCondor
# itself is there too: that of the series has the better priority.
add_osg_repository() {
    add_repository osg key.asc "https://repo.osg-htc.org/osg/25-main/el${VERSION_ID%%.*}/release/\$basearch" priority=98
}

# Prints the repositories of a mirror. The keys are those of the system's own packages.
mirror_repositories() {
    release=${VERSION_ID%%.*} main=$package_mirror/${mirrored%%,*} other=$package_mirror/${mirrored#*,}
    for each in BaseOS AppStream CRB extras; do
        print_repository "$each" "$main/$release/$each/\$basearch/os" "file://$(system_key)"
    done
    print_repository epel "$other/$release/Everything/\$basearch" "file:///etc/pki/rpm-gpg/RPM-GPG-KEY-EPEL-$release"
}

# print_repository NAME URL KEYS [SETTING...]: one of the keys must have signed each package. Where the system leaves out a
# repository that does not answer, this one is an error all the same.
print_repository() {
    printf '[annex-%s]\nname=%s\nbaseurl=%s\ngpgcheck=1\ngpgkey=%s\nskip_if_unavailable=0\n' "$1" "$1" "$2" "$3"
    shift 3
    for setting; do echo "$setting"; done
}

# Prints the file of the key with which the system's packages are signed.
system_key() {
    for file in /etc/pki/rpm-gpg/RPM-GPG-KEY-*"${VERSION_ID%%.*}"; do
        case $file in
        *EPEL*) ;;
        *) echo "$file" && return ;;
        esac
    done
}

# install_packages PACKAGE...
install_packages() {
    dnf_get install --setopt=install_weak_deps=False --nodocs "$@"
}

# Nothing refuses to work after an installation that was interrupted. RPM has no state for a package whose files it
# unpacked in part: it lists a package after them, so dnf installs an interrupted one again.
complete_packages() {
    :
}

dnf_get() {
    # shellcheck disable=SC2086 # several options
    dnf -y -q --setopt=retries=3 --setopt=timeout=30 $options "$@"
}
