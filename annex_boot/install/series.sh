# shellcheck shell=sh
# The series of HTCondor that this machine has.

# require_series SERIES COMMAND: sets version. Runs the command with what is wrong if HTCondor is not of the series.
require_series() {
    version=$(condor_version 2>&1 | sed -n 's/^.CondorVersion: \([0-9.]*\).*/\1/p')
    case $version in
    "${1%x}"*) ;;
    *) "$2" "HTCondor is ${version:-not installed}, and not of the series $1" ;;
    esac
}
