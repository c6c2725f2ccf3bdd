# shellcheck shell=sh
# shellcheck disable=SC2154 # variables of `install`
# Packages of Debian and Ubuntu.

export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
annex_source=/etc/apt/sources.list.d/annex.list

# Adds HTCondor's repository, and a mirror in place of the image's own sources.
add_repositories() {
    signed_by=$(echo "$keys" | tr ' ' ,)
    echo "deb [signed-by=$signed_by] $repository $suite main" >"$annex_source"
    # The series, and not the older release of the system or a newer one of a mirror.
    printf 'Package: condor\nPin: version %s.*\nPin-Priority: 1001\n' "${series%.x}" >/etc/apt/preferences.d/annex
    if [ -n "$package_mirror" ]; then
        for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
            case $file in
            "$annex_source" | *.disabled) ;;
            *) [ ! -e "$file" ] || mv "$file" "$file.disabled" ;;
            esac
        done
        mirror_sources >>"$annex_source"
    fi
    apt_get update --error-on=any
}

# add_repository NAME KEY URL SUITE...: adds a component's source, which the key of that name signs, and reads its lists.
add_repository() {
    source=/etc/apt/sources.list.d/annex-$1.list signed_by=$here/$2 url=$3
    shift 3
    echo "deb [signed-by=$signed_by] $url $*" >"$source"
    apt_get update --error-on=any -o Dir::Etc::sourcelist="$source" -o Dir::Etc::sourceparts=- \
        -o APT::Get::List-Cleanup=0
}

# Prints the sources of a mirror: the first directory has the packages, the second one those that are elsewhere.
mirror_sources() {
    main=${mirrored%%,*} other=${mirrored#*,}
    signed="signed-by=/usr/share/keyrings/$ID-archive-keyring.gpg"
    case $ID:$machine in
    debian:*)
        echo "deb [$signed] $package_mirror/$main $suite main"
        echo "deb [$signed] $package_mirror/$main $suite-updates main"
        echo "deb [$signed] $package_mirror/$other $suite-security main"
        ;;
    *)
        [ "$machine" = x86_64 ] || main=$other
        for each in "$suite" "$suite-updates" "$suite-security"; do
            echo "deb [$signed] $package_mirror/$main $each main restricted universe"
        done
        ;;
    esac
}

# install_packages PACKAGE...
install_packages() {
    without_start apt_get install --no-install-recommends "$@"
}

# Completes packages whose installation was interrupted. dpkg lists those that it has unpacked only; apt refuses to work
# while dpkg's journal has something ("dpkg was interrupted").
complete_packages() {
    [ -n "$(ls -A /var/lib/dpkg/updates 2>/dev/null)" ] || [ -n "$(dpkg --audit 2>/dev/null)" ] || return 0
    say "an installation was interrupted"
    step "completing the packages"
    shown without_start dpkg --force-confold --force-unsafe-io --configure -a
    # It cannot complete what was unpacked in part, or before its dependencies.
    [ -n "$(dpkg --audit 2>/dev/null)" ] || return 0
    attempt "reading the package lists" add_repositories
    attempt "completing the packages" without_start apt_get --fix-broken install --no-install-recommends
}

# without_start COMMAND...: runs it. HTCondor's own start is refused: its configuration is not there yet.
without_start() {
    policy=/usr/sbin/policy-rc.d
    own_policy=
    if [ ! -e "$policy" ]; then
        own_policy=$policy
        # shellcheck disable=SC2016 # for the policy
        printf '#!/bin/sh\ncase $1 in condor*) exit 101 ;; esac\n' >"$policy"
        chmod 755 "$policy"
    fi
    "$@"
    status=$?
    [ -z "$own_policy" ] || rm -f "$own_policy"
    return "$status"
}

# After a power failure a new instance takes its place: no wait for the disk. Another apt may hold the lock at boot. Lists
# of source packages and translations, which images of Debian ask for, are two thirds of the lists' size.
apt_get() {
    apt-get -qy -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
        -o Acquire::Languages=none -o Acquire::IndexTargets::deb-src::Sources::DefaultEnabled=false \
        -o Dpkg::Options::=--force-confold -o Dpkg::Options::=--force-unsafe-io "$@"
}
