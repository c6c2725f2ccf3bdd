# shellcheck shell=bash
# Jobs of a user of the pool, which ask for the annex.
alice=$(user_home)
submit() { # submit NAME LINES
    printf 'executable = /bin/sh\ntransfer_executable = false\nshould_transfer_files = YES\nrequest_memory = 50
request_disk = 10M\nMy.TargetAnnexName = "demo"\nlog = %s.log\noutput = %s.out\n%s\nqueue\n' "$1" "$1" "$2" >"$alice"/"$1".sub
    as_user "condor_submit -terse $1.sub" >/dev/null
}
event() { grep -q "^$2 " "$alice"/"$1".log; }
