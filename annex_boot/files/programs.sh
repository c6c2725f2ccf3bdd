# shellcheck shell=sh
# Programs of the image: where they are looked for, and which of them an execution point cannot do without.
# What includes it sets $here, the directory of these files.

# Sets PATH: the directories of root's login shell and of /etc/environment, then the usual ones. Others than absolute ones
# are left out. Profile scripts of the image may fail or hang.
find_programs() {
    usual=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    PATH=${PATH:+$PATH:}$usual
    # shellcheck disable=SC2016 # for the login shell
    image=$(timeout -s KILL 10 env -i HOME=/root PATH="$PATH" sh -lc 'echo "$PATH"' </dev/null 2>/dev/null | tail -n 1)
    image=$image:$(sed -n 's/^ *PATH=//p' /etc/environment 2>/dev/null | tail -n 1 | tr -d "\"'")
    found=
    set -f
    IFS=:
    for directory in $image $usual; do
        case $directory in
        /*) found=$found${found:+:}$directory ;;
        esac
    done
    unset IFS
    set +f
    export PATH="$found"
}

# Prints the interpreter of cloud-init, which is a Python program: it is on every image.
cloud_init_python() {
    sed -n '1s/^#! *//p' "$(command -v cloud-init)" 2>/dev/null
}

# call_aws VERB...: runs call-aws.
call_aws() {
    python=$(cloud_init_python)
    # shellcheck disable=SC2086,SC2154 # it may have options; $here is that of the script
    timeout 90 ${python:-python3} "$here/call-aws" "$@"
}

# Succeeds if a job runs; status 1 is that none does. The startd also runs its starter, by its path, to ask what it can do.
job_runs() {
    pgrep -U 0 -f '^condor_starter -f ' >/dev/null
}

# Prints what is missing, each with a blank before it.
missing_programs() {
    for program in condor_master condor_ping curl nft pgrep setpriv systemd-run systemd-sysusers timeout; do
        command -v "$program" >/dev/null || printf ' %s' "$program"
    done
    # Not asked of systemd, which does not run where an image is made.
    for directory in /etc /usr/local/lib /usr/lib /lib; do
        [ ! -e "$directory/systemd/system/condor.service" ] || return 0
    done
    printf ' condor.service'
}
