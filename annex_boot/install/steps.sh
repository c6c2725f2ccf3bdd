# shellcheck shell=sh
# Steps of an installation: their output is on the console while they run, and the reason of a failure has their words.
# REASON_FILE and STEP_FILE name files for the reason and for the step that runs; without them there are none.

log=$(mktemp)
trap 'rm -f "$log"' EXIT

say() {
    echo "annex: ${0##*/}: $1"
}

# fail REASON: ends the program. The console and `annex status` have the reason in one line.
fail() {
    say "$(one_line "$1")"
    leave "$1"
}

# leave REASON: ends the program whose output has the reason.
leave() {
    [ -z "${REASON_FILE-}" ] || one_line "$1" >"$REASON_FILE"
    exit 1
}

# Prints a text of other programs as one line that a terminal shows as it is.
one_line() {
    printf '%s' "$1" | LC_ALL=C tr -cs '[:print:]' ' ' | cut -c1-400 | sed 's/ *$//'
}

# step WHAT: what runs from now on, for the reason if the time is over.
step() {
    [ -z "${STEP_FILE-}" ] || echo "$1" >"$STEP_FILE"
}

# shown COMMAND...: runs it in a process of its own, and shows its output. Not through a pipe, which a daemon that the
# command starts would keep open.
shown() {
    : >"$log"
    "$@" >>"$log" 2>&1 &
    tail -n +1 -s 0.1 -f --pid=$! "$log"
    wait $!
}

# Prints the last line of the command that `shown` ran.
last_line() {
    sed -n '/[^[:space:]]/h; ${ g; p; }' "$log"
}

# Prints why that command failed: the errors of apt, dpkg, dnf and rpm, each with its indented lines, or else the last
# line.
words() {
    errors=$(sed -nE '
        :test
        /^(E: |Err|error:|dpkg: error|Public key for |The following packages have unmet |Package .* is not signed)/ {
            :print
            p
            n
            /^ /b print
            b test
        }' "$log")
    echo "${errors:-$(last_line)}"
}

# must WHAT COMMAND...: runs the command once; a failure ends the program.
must() {
    what=$1
    shift
    step "$what"
    shown "$@" || failed
}

failed() {
    why=$(words)
    fail "$what failed${why:+: $why}"
}

# attempt WHAT COMMAND...: runs the command up to four times: a mirror or the network can fail for a moment.
attempt() {
    what=$1
    shift
    step "$what"
    for pause in 5 15 30 0; do
        shown "$@" && return
        [ "$pause" -gt 0 ] || failed
        say "$what failed; again in $pause s"
        step "$what, which failed before: $(words)"
        sleep "$pause"
    done
}
