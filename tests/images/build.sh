#!/bin/sh
# Build busybox:1.36 on the local Docker engine without a registry, as the recorded Kubernetes traces expect it: Debian's
# busybox-static as /bin/busybox, a link per applet, a root user, /tmp, and neither CMD nor ENV.
# Does nothing if the image is there and was built from the same binary by the same script.
set -eu

image=busybox:1.36
label=podlab.dev/test-image

# ldd succeeds on a dynamic one, which could not run in the image.
if ! busybox=$(command -v busybox) || ldd "$busybox" >/dev/null 2>&1; then
    [ "$(id -u)" = 0 ] || { echo "build.sh: busybox-static is missing, and only root can install it" >&2; exit 1; }
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq busybox-static; } >&2
    busybox=$(command -v busybox)
fi

stamp=$(cat "$busybox" "$0" | sha256sum | cut -c1-16)
present=$(docker image inspect --format "{{index .Config.Labels \"$label\"}}" "$image" 2>/dev/null || true)
if [ "$present" = "$stamp" ]; then
    exit 0
fi

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
for folder in bin dev etc proc root sys tmp usr/bin var; do
    mkdir -p "$root/$folder"
done
chmod 1777 "$root/tmp"
chmod 700 "$root/root"
cp "$busybox" "$root/bin/busybox"
chmod 755 "$root/bin/busybox"
"$busybox" --list | while read -r applet; do
    [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
done
echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
echo 'root:x:0:' >"$root/etc/group"
tar -C "$root" --owner=0 --group=0 --numeric-owner -cf - . |
    docker import --change "LABEL $label=$stamp" - "$image" >/dev/null
echo "built $image"
