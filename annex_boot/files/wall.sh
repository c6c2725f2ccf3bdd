# shellcheck shell=sh

# Whether the rules in the kernel are those of firewall.nft.
wall_stands() {
    [ "$(nft list table inet annex 2>/dev/null | grep -c reject)" -eq 4 ]
}
