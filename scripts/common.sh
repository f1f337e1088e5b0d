# shellcheck shell=bash
# What setup, run, test and lab share: folders, environment, messages. Sourced.
set -u

root=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P) || exit 1
tools=$root/.tools     # everything that set-up installs; remove it to start afresh
out=$root/out          # everything that a run makes
# shellcheck disable=SC2034 # used where this file is sourced
venv=$tools/venv pjrt=$tools/pjrt stamps=$tools/stamps
cd -- "$root" || exit 1

exec 8>&2 # what a trap says is seen even while a function's output goes to a log
trap 'printf "\nInterrupted; what the set-up has installed is kept.\n" >&8; exit 130' INT
trap 'exit 143' TERM

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }
die() { warn "$*"; exit 1; }

# took SECONDS: the time since then, for people.
took() {
  local seconds=$((SECONDS - $1))
  if ((seconds < 60)); then printf '%d s' "$seconds"; else printf '%d min %d s' $((seconds / 60)) $((seconds % 60)); fi
}

# lock FILE: waits until no other script holds FILE; held until this script ends,
# even if a killed script leaves a child at work. The lock belongs to the open file, so that
# Python can take it for a shell that has no flock command.
lock() {
  exec 9>"$1" || exit 1
  if command -v flock >/dev/null; then
    flock -n 9 || { say "Another script is setting up; waiting for it."; flock 9; }
  elif command -v python3 >/dev/null; then
    python3 -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)'
  fi
}
unlock() { exec 9>&-; }

# use_go puts the toolchain that go.mod names in front, whatever the user's own
# settings are, or ends the script saying what to install. An older Go does not know our
# GOEXPERIMENT: it only says where the toolchain is.
use_go() {
  local have wanted least goroot
  wanted=$(sed -n 's/^toolchain //p' go.mod)
  least=$(sed -n 's/^go 1\.\([0-9]*\).*/\1/p' go.mod)
  have=$(cd / && GOEXPERIMENT='' GOTOOLCHAIN=local go env GOVERSION 2>/dev/null)
  if ! [[ $have =~ ^go1\.([0-9]+) ]] || ((BASH_REMATCH[1] < 21)); then
    die "Go 1.21 or later is needed (found: ${have:-none}). Install it from https://go.dev/dl or your distribution."
  fi
  export GOTOOLCHAIN=$wanted
  if goroot=$(GOEXPERIMENT='' go env GOROOT); then
    export PATH="$goroot/bin:$PATH"
  else
    ((BASH_REMATCH[1] >= least)) || die "The toolchain $wanted can't be downloaded (see the message above); with Go 1.$least or later installed it isn't needed."
    warn "The toolchain $wanted can't be downloaded: going on with $have."
    export GOTOOLCHAIN=local
  fi
}

# use_cgo turns cgo, and with it XLA and the race detector, off where no C program
# can be built, and says why in no_cgo. (Go, too, turns it off where it finds no compiler.)
use_cgo() {
  local cc message
  read -ra cc <<<"$(go env CC)"
  if ! message=$(printf '#include <stdlib.h>\nint main(void) { return EXIT_SUCCESS; }\n' | "${cc[@]}" -x c - -o "$tools/cc-check.$$" 2>&1); then
    no_cgo="no C compiler that works (${cc[*]}: ${message##*$'\n'}); install one (Debian, Ubuntu: apt install gcc libc6-dev)"
  elif [[ $(go env CGO_ENABLED) == 0 ]]; then
    no_cgo="cgo is off (CGO_ENABLED=0)"
  else
    no_cgo=''
  fi
  [[ ! $no_cgo ]] || export CGO_ENABLED=0
  rm -f "$tools/cc-check.$$"
}

# Go writes its telemetry counters into the user's configuration folder, where its
# settings (go env -w) are too: keep the settings, redirect the rest.
# The user's folder is exported for a script that another one calls.
export EMBEDSPACE_USER_CONFIG="${EMBEDSPACE_USER_CONFIG:-${XDG_CONFIG_HOME:-${HOME:-/}/.config}}"
export GOENV="${GOENV:-$EMBEDSPACE_USER_CONFIG/go/env}" XDG_CONFIG_HOME="$tools/config"
# An empty GOFLAGS would let the one of go env -w through; a clone that belongs to
# another user can't be stamped with its commit.
export GOFLAGS=-buildvcs=false GOWORK=off GO111MODULE=on GOEXPERIMENT=simd
export GOMLX_NO_AUTO_INSTALL=1
export STATICCHECK_CACHE="$tools/cache/staticcheck"
export PATH="$tools/bin:$PATH"
unset GOBIN GOOS GOARCH JUPYTER_PATH JUPYTER_CONFIG_PATH
export JUPYTER_CONFIG_DIR="$tools/jupyter/config" JUPYTER_DATA_DIR="$tools/jupyter/data" \
  JUPYTER_RUNTIME_DIR="$tools/jupyter/runtime" IPYTHONDIR="$tools/jupyter/ipython"

# sha256 FILE: its SHA-256 in hexadecimal.
sha256() { { sha256sum -- "$1" 2>/dev/null || shasum -a 256 -- "$1"; } | cut -d ' ' -f 1; }

# step LABEL COMMAND...: runs it with its output in a log, says how long it took, and
# shows the end of the log when it failed.
step() {
  local label=$1 start=$SECONDS
  shift
  printf '  %-42s ' "$label"
  if "$@" >"$tools/step.log" 2>&1; then
    took "$start"; printf '\n'
  else
    printf 'failed\n'
    grep -v '^ *$' "$tools/step.log" | tail -n 8 | cut -c 1-300 | sed 's/^/    /'
    return 1
  fi
}

# A stamp holds the inputs that a part was made from and is written last: a part that
# was interrupted, or whose inputs changed, is made again.
stamped() { [[ -f $stamps/$1 && $(<"$stamps/$1") == "$2" ]]; }
stamp() { printf '%s\n' "$2" >"$stamps/$1.new" && mv -f "$stamps/$1.new" "$stamps/$1"; }

# pip VENV ARGUMENTS...: with the user's own settings for the network, and no writes
# outside the target: pip asks rustc for its version, and rustup then makes a folder. What it
# unpacks may be larger than a /tmp in memory.
pip() {
  local python=$1/bin/python
  shift
  mkdir -p "$tools/tmp" || return 1
  XDG_CONFIG_HOME=$EMBEDSPACE_USER_CONFIG TMPDIR="$tools/tmp" RUSTUP_HOME="$tools/cache/rustup" PIP_USER=0 \
    "$python" -I -m pip install --quiet --no-input --disable-pip-version-check \
    --no-cache-dir --only-binary :all: --require-hashes "$@"
}

# set_up ARGUMENTS...: calls scripts/setup. Sets notebooks to 1 where notebooks can be
# executed, xla to 1 where there is an XLA plugin for the CPU.
set_up() {
  local status=0
  scripts/setup --called "$@" || status=$?
  ((status == 0 || status == 3)) || exit "$status"
  use_go
  use_cgo
  notebooks='' xla=''
  ((status == 3)) || notebooks=1
  [[ -f $stamps/xla && $(go env CGO_ENABLED) == 1 ]] && xla=1
  # Set-up has said that it is pure Go; no cell need say it again.
  [[ $xla || -f $stamps/cuda ]] || export GOMLX_BACKEND="${GOMLX_BACKEND:-go}"
}
