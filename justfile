# Recipes for those who work on the code. `just check` is what every change must pass.

# List the recipes.
default:
    @just --list

# All that every change must pass, as `.ci/run` does, without installing anything; but for the package
# (`YOBIBAN_SMOKE=1 just package-quick`), which needs root.
check: fmt deny clippy docs test smoke

# Formatting.
fmt:
    cargo fmt --check

# Lints; a warning is an error.
clippy:
    cargo clippy --all-targets -- -D warnings
    cargo clippy --test system -- -D warnings
    cargo clippy --no-default-features --features hdmi,rpi -- -D warnings

# Unit and integration tests: minutes.
test:
    cargo test

# One test of each kind that needs the machine for itself: emulated machines, browser, kills, videos.
smoke:
    .ci/smoke

# All tests that need the machine for themselves, or those whose names hold TEST; a quarter of an hour.
system *TEST:
    cargo test --test system -- {{TEST}}

# The API's documentation, without a warning.
docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items

# Licences, banned crates and sources of the dependencies (cargo install cargo-deny).
deny:
    cargo deny check bans licenses sources

# What RustSec says of the dependencies, from a clone of github.com/rustsec/advisory-db.
advisories DATABASE:
    .ci/advisories {{DATABASE}}
    cargo test --test it -- dependencies::

# Six simulated offices, their boards and the hub.
demo *ARGS:
    cargo run -- demo {{ARGS}}

# The program on a display: an emulated machine whose glass is compared pixel by pixel.
emulate *SCENARIOS:
    cargo build
    tests/emulation/run {{ if arch() == "aarch64" { "arm64" } else { "amd64" } }} target/debug/yobiban {{SCENARIOS}}

# The program with a camera: an emulated machine in which a board is filmed, and the camera goes and comes.
emulate-camera *SCENARIOS:
    cargo build
    tests/emulation/camera target/debug/yobiban {{SCENARIOS}}

# The image of a box from the package for arm64: target/image/yobiban-arm64.img.zst (as root; see image/build).
image *ARGS:
    image/build {{ARGS}}

# That image in an emulated machine, from power-on to the board; minutes, because arm64 is emulated.
emulate-image *SCENARIOS:
    cargo build
    tests/emulation/image target/image/yobiban-arm64.img {{SCENARIOS}}

# The power cut at MOMENTS random moments of a node and a hub that write, in an emulated machine.
power MOMENTS="20":
    cargo build
    tests/emulation/power target/debug/yobiban {{MOMENTS}}

# The dictionary of Japanese speech, for tests and for packages: target/voice/dictionary.
dictionary:
    cargo build
    assets/voice/build-dictionary target/debug/yobiban target/voice/dictionary

# The Debian package, for ARCH amd64 or arm64 (cargo install cargo-deb; for arm64 on amd64 also
# gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and the Rust target). Built on Debian 12, 12 and 13 run it.
deb ARCH=(if arch() == "aarch64" { "arm64" } else { "amd64" }): dictionary
    packaging/deb {{ARCH}}

# The package built unoptimised, installed, upgraded, purged and booted (root; cargo-deb, mmdebstrap, QEMU).
package-quick:
    tests/packaging/quick

# A package installed, upgraded and purged in clean Debian 12 and 13 systems (root; mmdebstrap, and
# qemu-user-static for another processor).
package-test PACKAGE:
    lintian --fail-on error {{PACKAGE}}
    tests/packaging/run {{PACKAGE}} bookworm trixie

# What is inside, as CycloneDX: target/sbom/yobiban-arm64.cdx.json and -amd64.
sbom:
    packaging/sbom --target aarch64-unknown-linux-gnu --out target/sbom/yobiban-arm64.cdx.json
    packaging/sbom --target x86_64-unknown-linux-gnu --out target/sbom/yobiban-amd64.cdx.json

# Announcements on the sound device of an emulated machine, compared sample by sample.
sound: dictionary
    tests/emulation/sound target/debug/yobiban target/voice/dictionary

# Every fuzz target for SECONDS (cargo install cargo-fuzz, and a nightly Rust); or one of them.
fuzz SECONDS="60" TARGET="":
    fuzz/run {{SECONDS}} {{TARGET}}

# Random faults on every line while a recorded afternoon is replayed; MINUTES of them.
chaos MINUTES="5":
    YOBIBAN_CHAOS_MINUTES={{MINUTES}} cargo test --test system chaos -- --nocapture

# Ten thousand viewers who do not read, and what each costs; both processes need 10,000 open files.
slow-viewers:
    ulimit -n "$(ulimit -Hn)" && cargo test --test system -- --ignored ten_thousand_viewers --nocapture

# A hub and nginx with nchan side by side, VIEWERS each (needs nginx and libnginx-mod-nchan).
viewers VIEWERS="10000":
    cargo build --release
    BUSY=19000 tests/load/run target/release/yobiban {{VIEWERS}}

# The video's receiver is killed three times in a minute.
stream-kills:
    cargo test --test system three_kills_in_a_minute -- --nocapture

# A node beside Chromium in kiosk mode: publish to pixels, memory, start (mosquitto, chromium, npm ci in
# tests/browser). Two minutes; on a machine that does nothing else.
kiosk CALLS="60":
    cargo build --release
    node tests/browser/kiosk.mjs target/release/yobiban {{CALLS}}

# The animation at the top of README.md and README.ja.md (mosquitto, chromium, ffmpeg 5.1 or newer, npm ci
# in tests/browser).
animation:
    cargo build
    node tests/browser/call.mjs target/debug/yobiban docs/images

# The figures of docs/performance.md.
bench *ARGS:
    cargo bench {{ARGS}}

# Store the answers and pictures of now as the wanted ones; read and look at the difference.
accept:
    YOBIBAN_ACCEPT=1 cargo test
    git diff --stat
