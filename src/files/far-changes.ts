/** The functions of `far-shell.ts` that change something. */

/** The lock, and the end of a shell that nobody hears. */
export const lockFunctions = `# The lock: see lock.ts. Its owner is this shell, which ends when its connection does, or when nobody is heard.
seize() {
  draft=$1 id=$2
  enter && ownership && make sipctl || return
  cd sipctl
  [ ! -d lock ] || { planted lock file; return; }
  said=$({ printf '%s\\n' "$3" > "$draft"; } 2>&1) && [ -s "$draft" ] && own "$spec" "$draft" || {
    rm -f "$draft"
    fail "\${said:-No space left on device}"
    return
  }
  claim "$4"
}
claim() {
  cd "$home/sipctl" || return
  if said=$(ln "$draft" lock 2>&1); then
    hold "$1"
  elif [ -e lock ] || [ -L lock ]; then
    contended
  else
    fail "$said"
  fi
}
hold() {
  exec 9>> "$draft"
  rm -f "$draft"
  held=$id
  set -- "$1" lock.draft-* lock.taken-*
  known=$1
  shift
  for one do [ ! -e "$one" ] || say "left $one"; done
  state "$known"
}
contended() {
  set -- lock
  for one in lock.taken-*; do [ ! -e "$one" ] || set -- "$@" "$one"; done
  ls -i "$@" 2>/dev/null | sed 's/^ */=/'
  echo tar
  tar -cf - "$@" "$draft" 2>/dev/null
  return 50
}
alive() {
  for pid do
    line=
    if [ -d /proc/self ]; then
      { IFS= read -r line < "/proc/$pid/stat"; } 2>/dev/null
      say "\${line:-gone}"
    elif kill -0 "$pid" 2>/dev/null || ps -p "$pid" >/dev/null 2>&1; then
      say alive
    else
      say gone
    fi
  done
}
follow() {
  cd "$home/sipctl" || return
  claim=$1 known=$2 found=
  shift 2
  ln "$draft" "$claim" 2>/dev/null || return 51
  line=
  { IFS= read -r line < lock; } 2>/dev/null
  inode=$(ls -i lock 2>/dev/null)
  for one do
    case $line in *"\\"id\\":\\"$one\\""*) found=yes ;; esac
    case $one-\${inode#"\${inode%%[0-9]*}"} in unknown-*-*) [ "$inode" != "\${one#unknown-} lock" ] || found=yes ;; esac
  done
  if [ -z "$found" ]; then
    rm -f "$claim"
    return 51
  fi
  exec 9>> "$draft"
  mv -f "$draft" lock
  held=$id
  for one do rm -f "lock.taken-$one"; done
  for one in lock.draft-* lock.taken-*; do [ ! -e "$one" ] || say "left $one"; done
  state "$known"
}
abandon() { rm -f "$home/sipctl/$draft"; }
renew() { [ -z "$held" ] || printf '\\n' >&9; }
release() {
  code=0
  cd "$home/sipctl" 2>/dev/null && mine && { said=$(rm -f lock 2>&1) || { fail "$said"; code=47; }; }
  held=
  exec 9>&-
  watch 0
  return $code
}
# Ends this shell, and so gives its lock away, where nothing is heard for so many seconds.
watch() {
  [ -z "$dog" ] || kill "$dog" 2>/dev/null
  dog=
  [ "$1" != 0 ] || return 0
  (
    trap 'kill $!; exit' TERM
    cd /
    sleep "$1" &
    wait $!
    kill -TERM $$
  ) </dev/null >/dev/null 2>&1 9>&- &
  dog=$!
}
`;

/** Store files, generations, and what of them is in force. */
export const writingFunctions = `# Writing.
ready() { enter && mine && ownership; }
sweep() {
  for one in * generations/*; do
    ! leftover "$one" || rm -rf -- "$one"
  done
}
put() {
  ready && make sipctl
  code=$?
  [ $code = 0 ] || { drain "$2"; return $code; }
  cd sipctl
  sweep
  temporary
  in=incoming.$tag added=
  said=$(umask 077 && mkdir "$in" 2>&1) || { drain "$2"; fail "$said"; return; }
  unpack "$in" "$2" && own -R "$spec" "$in" && arrange "$1"
  code=$?
  if [ $code != 0 ]; then
    whole "$1" && [ ! -d "$in/$1" ] || (
      IFS=$newline
      set -f
      for one in $added; do rm -rf -- "$one"; done
    )
  fi
  rm -rf -- "$in"
  return $code
}
arrange() {
  make store && make generations || return
  [ ! -d "$in/store" ] || merge "$in/store" store || return
  if whole "$1"; then
    if diff -r "$in/$1" "generations/$1" >/dev/null 2>&1; then
      say same
      settle
      return
    fi
    current || return
    ! whole "\${now#generations/}" || return 44
  fi
  settle
  if [ -e "generations/$1" ] || [ -L "generations/$1" ]; then
    said=$(mv -f "generations/$1" "$in/former" 2>&1) || { fail "$said"; return; }
  fi
  said=$(mv -f "$in/$1" generations/ 2>&1) || { fail "$said"; return; }
  settle
}
# Moves what is new into a folder that is there; what is there already with the right bytes stays.
merge() {
  for one in "$1"/*; do
    [ -e "$one" ] || continue
    there=$2/\${one##*/}
    if [ -L "$there" ]; then
      planted "$there" file
      return
    elif [ -d "$one" ] && [ -d "$there" ]; then
      chmod 0750 "$there" 2>/dev/null || :
      merge "$one" "$there" || return
    elif [ -d "$one" ] || { [ -e "$there" ] && [ ! -f "$there" ]; }; then
      [ ! -e "$there" ] || { planted "$there" file; return; }
      added=$added$there$newline
    elif [ -f "$there" ] && cmp -s "$one" "$there"; then
      say "held $there"
      rm -f "$one"
      chmod 0640 "$there" 2>/dev/null || :
    elif [ ! -e "$there" ]; then
      added=$added$there$newline
    fi
  done
  for one in "$1"/*; do
    if [ -d "$one" ] && [ -d "$2/\${one##*/}" ]; then rmdir "$one"; fi
  done
  set -- "$2" "$1"/*
  [ -e "$2" ] || return 0
  to=$1
  shift
  said=$(mv -f "$@" "$to/" 2>&1) || fail "$said"
}
# rename(2) takes a link's place in one step. mv calls it for the entry of a folder that it is given, and only there:
# told of the link itself, it would move into what the link leads to.
flip() {
  ready || return
  cd sipctl 2>/dev/null || return 43
  whole "$1" || return 43
  current || return
  temporary
  said=$(mkdir "flip.$tag" 2>&1 && ln -s "generations/$1" "flip.$tag/current" 2>&1 && mv -f "flip.$tag/current" . 2>&1) || {
    rm -rf "flip.$tag"
    fail "$said"
    return
  }
  rmdir "flip.$tag"
  settle
}
mark() {
  ready && make sipctl || return
  cd sipctl
  [ ! -d verified ] || { planted verified file; return; }
  temporary
  said=$({ printf '%s\\n' "$1" > "verified.$tag"; } 2>&1) && [ -s "verified.$tag" ] && own "$spec" "verified.$tag" &&
    said=$(mv -f "verified.$tag" verified 2>&1) || {
    rm -f "verified.$tag"
    fail "\${said:-No space left on device}"
    return
  }
  settle
}
stock() {
  ready || return
  cd sipctl 2>/dev/null || return 0
  sweep
  list=
  for one in generations/*; do
    [ -d "$one" ] && [ ! -L "$one" ] || continue
    whole "\${one#generations/}" || say "half \${one#generations/}"
  done
  for number do
    for one in "generations/$number"/*; do
      [ ! -f "$one" ] || [ "\${one##*/}" = manifest.json ] || list=$list$one$newline
    done
  done
  find store -type f 2>/dev/null | sed 's/^/=stored /'
  send
}
drop() {
  ready || return
  cd sipctl
  for number do
    temporary
    said=$(mv -f "generations/$number" "generations/$number.$tag" 2>&1) || { fail "$said"; return; }
    rm -rf -- "generations/$number.$tag"
  done
  settle
}
discard() {
  ready || return
  cd sipctl
  for path do
    if plain "\${path%/*}"; then rm -f -- "$path"; fi
  done
}
vacate() {
  ready || return
  cd sipctl
  for path do rmdir -- "$path" 2>/dev/null; done
  return 0
}
host() {
  ready && base=$PWD && resolve "$1"
  code=$?
  [ $code = 0 ] || { drain "$3"; return $code; }
  for one in "$at".*; do
    ! leftover "$one" || rm -rf -- "$one"
  done
  temporary
  room=$at.$tag
  said=$(umask 077 && mkdir "$room" 2>&1) || { drain "$3"; fail "$said"; return; }
  unpack "$room" "$3" && replace "$2"
  code=$?
  rm -rf -- "$room"
  [ $code != 0 ] || settle
  return $code
}
replace() {
  if [ ! -e "$at" ] && [ ! -L "$at" ]; then
    own "$spec" "$room/new" || return
    said=$(mv -f "$room/new" "$at" 2>&1) || fail "$said"
    return
  fi
  [ -f "$at" ] && [ ! -L "$at" ] || { say "n$base/$at"; return 49; }
  backup=$at.sipctl-backup-$1 count=1
  while [ -e "$backup" ] || [ -L "$backup" ]; do
    count=$((count + 1))
    backup=$at.sipctl-backup-$1-$count
  done
  said=$({ cp -p "$at" "$room/old" && cp -p "$at" "$room/next" && cat "$room/new" > "$room/next" &&
    cmp "$room/new" "$room/next" && mv "$room/old" "$backup" && mv -f "$room/next" "$at"; } 2>&1) || fail "$said"
}
`;
