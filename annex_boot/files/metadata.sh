# shellcheck shell=sh
# Instance metadata, IMDSv2 only. https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
imds=http://169.254.169.254/latest

# Requests a session token, valid for six hours. In a subnet without IPv4 the service answers at its IPv6 address only.
metadata_session() {
    for imds in http://169.254.169.254/latest 'http://[fd00:ec2::254]/latest'; do
        if imds_token=$(curl -q -sS -f --noproxy '*' --max-time 5 -X PUT \
            -H 'X-aws-ec2-metadata-token-ttl-seconds: 21600' "$imds/api/token"); then
            return 0
        fi
    done
    return 1
}

# metadata PATH...: the values, one a line. The token is passed through a pipe: arguments are visible to jobs.
metadata() {
    for path; do
        shift
        set -- "$@" "$imds/meta-data/$path"
    done
    printf 'X-aws-ec2-metadata-token: %s\n' "$imds_token" |
        curl -q -sS -f --fail-early --noproxy '*' --max-time 5 -w '\n' -H @- "$@"
}

# Exports the proxy of the settings, if there is one, for call-aws and what it is passed on to. The metadata service is
# reached without it. Reads the file itself: retire needs it even if a setting is damaged.
use_proxy() {
    proxy=$(grep -xE 'ANNEX_PROXY=@@PROXY_FORM@@' /etc/annex/annex.env 2>/dev/null | cut -d= -f2-)
    [ -n "$proxy" ] || return 0
    direct="localhost,127.0.0.1,169.254.169.254,fd00:ec2::254,[fd00:ec2::254]"
    export HTTP_PROXY="$proxy" HTTPS_PROXY="$proxy" NO_PROXY="$direct"
    export http_proxy="$proxy" https_proxy="$proxy" no_proxy="$direct"
}
