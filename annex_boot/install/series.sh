# shellcheck shell=sh
# The series of HTCondor that this machine has.

# Sets version, which is empty if there is no HTCondor.
read_version() {
    version=$(condor_version 2>&1 | sed -n 's/^.CondorVersion: \([0-9.]*\).*/\1/p')
}

# of_series SERIES: the version is of the series. Feature releases begin with 25.1; 25.0 is the one with long-term support
# (HTCondor's manual, "HTCondor Version Number Scheme").
of_series() {
    case $1:$version in
    *.x:"${1%.x}".0.*) return 1 ;;
    *:"${1%.x}".*) ;;
    *) return 1 ;;
    esac
}

# require_series SERIES COMMAND: sets version. Runs the command with what is wrong if HTCondor is not of the series.
require_series() {
    read_version
    of_series "$1" || "$2" "HTCondor is ${version:-not installed}, and not of the series $1"
}
