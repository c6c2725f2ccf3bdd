# shellcheck shell=sh
# GPUs of the machine.

# Succeeds if there is a GPU of NVIDIA or AMD on the bus, with or without a driver.
has_gpu() {
    for device in /sys/bus/pci/devices/*; do
        case $(cat "$device/vendor" "$device/class" 2>/dev/null | tr '\n' ' ') in
        "0x10de 0x03"* | "0x10de 0x12"* | "0x1002 0x03"* | "0x1002 0x12"*) return 0 ;;
        esac
    done
    return 1
}

# Succeeds if a driver has made the device that HTCondor's discovery needs.
gpu_is_ready() {
    [ -e /dev/nvidia0 ] || [ -e /dev/kfd ]
}
