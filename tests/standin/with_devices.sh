#!/bin/sh
# Run a command where /dev has the "devices" of an NVIDIA driver, too, which are empty files, and nothing else of the
# machine is another one: with_devices.sh COUNT COMMAND... below `unshare --mount`.
set -eu

count=$1
shift
dev=$(mktemp -d)
mount -t tmpfs -o mode=755 devices "$dev"
for path in /dev/*; do
    name=${path#/dev/}
    if [ -L "$path" ]; then
        cp -P "$path" "$dev"
    elif [ -d "$path" ]; then
        mkdir "$dev/$name"
        mount --rbind "$path" "$dev/$name"
    else
        : > "$dev/$name"
        mount --bind "$path" "$dev/$name"
    fi
done
for name in nvidiactl nvidia-uvm $(seq --format 'nvidia%g' 0 $((count - 1))); do
    : > "$dev/$name"
    chmod 666 "$dev/$name"
done
mount --move "$dev" /dev
rmdir "$dev"
exec "$@"
