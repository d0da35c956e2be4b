# What every emulated machine is made of: Debian's kernel, and a small initial file system of its own.
# Sourced by the scripts beside it; `here` and `root` are set.

skip() { echo "skipped: $*"; exit 77; }

# machine_arch ARCH: names and folders for a processor.
machine_arch() {
  arch=$1
  case $arch in
    amd64)
      qemu=qemu-system-x86_64 triplet=x86_64-linux-gnu compiler=cc
      libraries=(/lib/x86_64-linux-gnu /usr/lib/x86_64-linux-gnu /lib64 /usr/lib64)
      ;;
    arm64)
      qemu=qemu-system-aarch64 triplet=aarch64-linux-gnu compiler=aarch64-linux-gnu-gcc
      libraries=(/lib/aarch64-linux-gnu /usr/lib/aarch64-linux-gnu /usr/aarch64-linux-gnu/lib)
      ;;
    *) usage ;;
  esac
  strip=strip
  if command -v "$triplet-strip" >/dev/null; then strip=$triplet-strip; fi
  export PATH=$PATH:/usr/sbin:/sbin
}

# machine_tools TOOL …: skips when one is not installed.
machine_tools() {
  local tool
  for tool in "$qemu" "$strip" readelf cpio depmod modprobe flock python3 apt-get dpkg "$@"; do
    if ! command -v "$tool" >/dev/null; then skip "$tool is not installed"; fi
  done
}

# Kernel and busybox from Debian, for the wanted processor, without touching the system's packages.
fetch() {
  local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  [ -f "$keyring" ] || skip "$keyring is not installed"
  local codename
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-bookworm}")
  [ "$(. /etc/os-release && echo "$ID")" = debian ] || codename=bookworm
  local apt=$work/apt
  mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/empty"
  echo "deb [arch=$arch signed-by=$keyring] http://deb.debian.org/debian $codename main" >"$apt/sources.list"
  : >"$apt/status"
  local options=(
    -q -o APT::Architecture="$arch" -o APT::Architectures="$arch" -o APT::Sandbox::User=root
    -o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts="$apt/empty"
    -o Dir::State="$apt" -o Dir::State::Lists="$apt/lists" -o Dir::State::status="$apt/status"
    -o Dir::Cache="$apt" -o Acquire::Languages=none -o Acquire::Retries=3
  )
  apt-get "${options[@]}" update >"$work/apt.log" 2>&1 || skip "Debian's packages cannot be had, see $work/apt.log"
  local kernel
  kernel=$(apt-cache "${options[@]}" depends "linux-image-$arch" | awk '/Depends: linux-image/ {print $2; exit}')
  [ -n "$kernel" ] || skip "Debian has no kernel linux-image-$arch"
  (cd "$work" && apt-get "${options[@]}" download "$kernel" busybox-static >>"$work/apt.log" 2>&1) \
    || skip "Debian's kernel cannot be had, see $work/apt.log"
  rm -rf "$work/debian"
  for package in "$work"/*.deb; do dpkg -x "$package" "$work/debian"; done
  rm -rf "$work"/*.deb "$apt"
}

# machine_kernel: the kernel, downloaded once; `work` is the folder of everything for this processor.
machine_kernel() {
  work=${YOBIBAN_EMULATION_DIR:-$root/target/emulation}/$arch
  mkdir -p "$work"
  exec 9>"$work/lock"
  flock 9
  if ! compgen -G "$work/debian/boot/vmlinuz-*" >/dev/null || [ ! -x "$work/debian/bin/busybox" ]; then fetch; fi
  kernel=$(compgen -G "$work/debian/boot/vmlinuz-*" | head -1)
  version=${kernel##*/vmlinuz-}
  [ -f "$work/debian/lib/modules/$version/modules.dep" ] || depmod -b "$work/debian" "$version"
  exec 9>&-
}

# machine_tree NAME COMMAND …: begins an initial file system with these commands of busybox.
machine_tree() {
  place=$work/$1
  tree=$place/tree
  shift
  rm -rf "$tree"
  mkdir -p "$tree"/{bin,dev,proc,sys,tmp,etc,modules,lib,lib64}
  : >"$tree/modules/order"
  cp "$work/debian/bin/busybox" "$tree/bin/busybox"
  local command
  for command in sh mount insmod ip stty cat echo sleep kill date mkdir rm setsid ls grep head tail "$@"; do
    ln -s busybox "$tree/bin/$command"
  done
  cp "$here/init" "$tree/init"
  chmod +x "$tree/init"
}

# machine_modules MODULE …: modules of the kernel with those they need, in their order.
machine_modules() {
  local module path name
  for module in "$@"; do
    modprobe -d "$work/debian" -S "$version" --show-depends "$module" 2>/dev/null
  done | awk '$1 == "insmod" && !seen[$2]++ {print $2}' | while read -r path; do
    name=$(basename "$path")
    case $name in
      *.xz) name=${name%.xz} && xz -dc "$path" >"$tree/modules/$name" ;;
      *.zst) name=${name%.zst} && zstd -qdc "$path" >"$tree/modules/$name" ;;
      *) cp "$path" "$tree/modules/$name" ;;
    esac
    echo "$name" >>"$tree/modules/order"
  done
}

needed() { readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }

# machine_program PATH [NAME]: a program with its libraries and what loads them.
machine_program() {
  local program=$1 queue file library found folder loader name
  "$strip" -o "$tree/bin/${2:-$(basename "$program")}" "$program"
  queue=("$program")
  while [ ${#queue[@]} -gt 0 ]; do
    file=${queue[0]}
    queue=("${queue[@]:1}")
    for library in $(needed "$file"); do
      [ ! -e "$tree/lib/$library" ] || continue
      found=
      for folder in "${libraries[@]}"; do
        if [ -e "$folder/$library" ]; then found=$folder/$library && break; fi
      done
      [ -n "$found" ] || skip "the library $library for $arch is not installed"
      cp -L "$found" "$tree/lib/$library"
      queue+=("$found")
    done
  done
  loader=$(readelf -l "$program" | sed -n 's/.*program interpreter: \(.*\)\]/\1/p')
  [ -n "$loader" ] || return 0
  mkdir -p "$tree$(dirname "$loader")"
  name=$(basename "$loader")
  [ ! -e "$tree$loader" ] || return 0
  for folder in "${libraries[@]}"; do
    if [ -e "$folder/$name" ]; then cp -L "$folder/$name" "$tree$loader" && break; fi
  done
}

# machine_pack: the file that the machine boots.
machine_pack() { (cd "$tree" && find . | cpio -o -H newc --quiet) >"$place/initrd"; }
