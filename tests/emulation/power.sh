# What the emulated machine can do about its disk and its services; sourced by `power.py`.

size=$(cat /sys/block/vda/size)
export DM_DISABLE_UDEV=1

# A card that writes a block in 20 ms, and above it the layer that can forget.
disk() {
  dmsetup create card --table "0 $size delay /dev/vda 0 0 /dev/vda 0 20"
  dmsetup create disk --table "0 $size flakey /dev/mapper/card 0 3600 0"
  mkdir -p /data
  mount -t ext4 /dev/mapper/disk /data
}

# Runs a service with /tmp/etc/NAME.toml and leaves its process in a variable of that name.
service() {
  role=$1
  [ "$role" != alone ] || role=hub
  setsid yobiban "$role" --config "/tmp/etc/$1.toml" </dev/null >>"/tmp/$1.log" 2>&1 &
  eval "$1=$!"
}

# What the power takes: nothing that runs goes on, and nothing more is written, in the middle of
# whatever the disk is doing. The processes stand still first: what they would say now is not said.
cut() {
  dmsetup load disk --table "0 $size flakey /dev/mapper/card 0 0 3600 1 drop_writes"
  kill -STOP $node $hub
  usleep "$1"
  dmsetup suspend --noflush --nolockfs disk
  dmsetup resume disk
  kill -KILL $node $hub
  wait $node $hub 2>/dev/null
  umount /data
}

# The power is back: the journal of the file system is played, then it must be clean.
back() {
  dmsetup remove disk
  dmsetup create disk --table "0 $size flakey /dev/mapper/card 0 3600 0"
  mount -t ext4 /dev/mapper/disk /data && umount /data || return 1
  e2fsck -fn /dev/mapper/disk || return 1
  mount -t ext4 /dev/mapper/disk /data
}
