# Shared by start and check: find Python, make .venv, install what is missing.  Sourced by bash.

say() { printf '%s\n' "$*"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

# The newest Python that will do, or words about how to get one.
find_python() {
  local name
  for name in python3.13 python3.12 python3.11 python3 python; do
    if command -v "$name" >/dev/null 2>&1 &&
      "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
      command -v "$name"
      return
    fi
  done
  fail "Genjin needs Python 3.11 or newer and found none.
On Debian or Ubuntu: apt-get install python3 python3-venv; then run this again."
}

make_venv() {
  if [ -x .venv/bin/python ] &&
    .venv/bin/python -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
    return
  fi
  local python
  python=$(find_python)
  "$python" -c 'import venv, ensurepip' >/dev/null 2>&1 || fail "$python lacks its venv module.
On Debian or Ubuntu: apt-get install python3-venv; then run this again."
  say "Making a virtual environment in .venv with $("$python" --version) ..."
  rm -rf .venv
  "$python" -m venv .venv || fail "That failed; the lines above say why."
}

# install_into_venv STAMP WHAT: nothing happens when a stamp fits, so a second start needs no
# network.  A stamp is over all that decides what gets installed; with -dev comes all else too.
install_into_venv() {
  local stamp=".venv/installed$1" what=$2 want
  make_venv
  want=$(cat pyproject.toml constraints.txt | .venv/bin/python -c \
    'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())')
  if [ -x .venv/bin/genjin ] && grep -qsx "$want" "$stamp" .venv/installed-dev; then
    return
  fi
  say "Installing (a few minutes the first time) ..."
  .venv/bin/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e "$what" ||
    fail "The installation failed; the lines above say why. Is the network reachable?"
  printf '%s\n' "$want" >"$stamp"
}
