# shellcheck shell=sh

# Succeeds if the rules in the kernel are those of firewall.nft.
firewall_is_loaded() {
    [ "$(nft list table inet annex 2>/dev/null | grep -c reject)" -eq 4 ]
}
