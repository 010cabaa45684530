/**
 * What runs on the node: functions of a POSIX shell, with the tools that POSIX gives it, and tar. Tried with dash, bash and
 * BusyBox. `shell-session.ts` sends them once for each connection, and then one request after the other, each a call of one
 * of these functions.
 *
 * A request is answered by lines that begin with `=`, by archives behind a line `tar`, and by `end` with a number:
 * see `codes`. What a request writes is made beside its place, under a name that later runs know for a leftover.
 */

/** What the functions end with, besides 0 and what the shell makes of its own errors. */
export const codes = {
  folderMissing: 40,
  planted: 41,
  lockLost: 42,
  noGeneration: 43,
  numberTaken: 44,
  unknownUser: 45,
  /** The lines are what a tool said. */
  toolFailed: 47,
  notAFile: 49,
  /** The lock is another one's: lines and archive are all that is known of it. */
  contended: 50,
  /** Another run came between: to be tried anew. */
  again: 51,
} as const;

/** What stands there, and where one may write. */
export const stateFunctions = `LC_ALL=C
export LC_ALL
umask 027
seq=0 held= dog= spec=unset newline='
'
say() { printf '=%s\\n' "\${1%%"$newline"*}"; }
fail() {
  printf '%s\\n' "$1" | sed 's/^/=/'
  return 47
}
planted() {
  say "$PWD/$1"
  say "$2"
  return 41
}
# A name that every later run knows for a leftover.
temporary() {
  seq=$((seq + 1))
  tag=tmp-$$-$nonce$seq
}
leftover() {
  case $1 in *.tmp-*) ;; *) return 1 ;; esac
  case \${1##*.tmp-} in *[!0-9a-z-]* | *-*-* | -* | *-) return 1 ;; [0-9]*-*) ;; *) return 1 ;; esac
  rest=\${1##*.tmp-}
  case \${rest%-*} in *[!0-9]*) return 1 ;; esac
}
settle() { sync -f . 2>/dev/null || sync; }
if dd if=/dev/null iflag=fullblock count=0 2>/dev/null; then
  take() { dd bs=10240 count=$(($1 / 10240)) iflag=fullblock 2>/dev/null; }
else
  take() { dd ibs=1 obs=10240 count="$1" 2>/dev/null; }
fi
drain() { take "$1" >/dev/null; }
# Whatever becomes of tar, what was sent to it is read to its end. Files get the time at which they came (m): Asterisk tells a
# changed file by time and size alone.
unpack() {
  said=$(cd "$1" && take "$2" | {
    tar -xomf - 2>&1
    code=$?
    cat >/dev/null
    exit $code
  }) || { fail "\${said:-tar ended with $?}"; return; }
  [ -f "$1/end" ] || { fail 'the archive broke off'; return; }
  rm -f "$1/end"
}
enter() {
  cd -P -- "$dir" 2>/dev/null || {
    if [ -d "$dir" ]; then fail "$dir: Permission denied"; else return 40; fi
    return
  }
  home=$PWD
  for one in sipctl sipctl/store sipctl/generations; do
    if [ -L "$one" ] || { [ -e "$one" ] && [ ! -d "$one" ]; }; then
      planted "$one" folder
      return
    fi
  done
}
mine() {
  [ -n "$held" ] || return 0
  line=
  { IFS= read -r line < "$home/sipctl/lock"; } 2>/dev/null
  case $line in *"\\"id\\":\\"$held\\""*) return 0 ;; esac
  return 42
}
ownership() {
  [ "$spec" = unset ] || return 0
  set -- $(ls -nd "$home")
  me=$(id -u) as=$owner to=$group
  if [ -n "$owner" ]; then
    case $owner in *[!0-9]*) id -u "$owner" >/dev/null 2>&1 || return 45 ;; esac
  elif [ "$me" = 0 ] && [ "$4" = 0 ] && [ "$3" != 0 ]; then
    as=$3
  fi
  if [ -z "$to" ]; then
    case " $(id -G) " in *" $4 "*) to=$4 ;; *) [ "$me" != 0 ] || to=$4 ;; esac
  fi
  spec=$as\${to:+:$to}
}
own() { [ -z "$spec" ] || said=$(chown "$@" 2>&1) || fail "$said"; }
make() {
  if [ -L "$1" ] || { [ -e "$1" ] && [ ! -d "$1" ]; }; then
    planted "$1" folder
  elif [ -d "$1" ]; then
    chmod 0750 "$1" 2>/dev/null || :
  else
    said=$(mkdir "$1" 2>&1) || { fail "$said"; return; }
    own "$spec" "$1"
  fi
}
whole() {
  [ -d "generations/$1" ] && [ ! -L "generations/$1" ] &&
    [ -f "generations/$1/manifest.json" ] && [ ! -L "generations/$1/manifest.json" ]
}
current() {
  now=
  if [ -L current ]; then
    now=$(ls -l current)
    now=\${now##*current -> }
  elif [ -e current ]; then
    planted current link
  fi
}
state() {
  current || return
  say "current $now"
  if [ -L verified ]; then
    planted verified file
    return
  elif [ -f verified ]; then
    IFS= read -r line < verified
    say "verified $line"
  fi
  for one in generations/*; do
    if whole "\${one#generations/}"; then say "generation \${one#generations/}"; fi
  done
  if [ "$now" = "generations/$1" ] || ! whole "\${now#generations/}"; then return 0; fi
  echo tar
  tar -cf - "$now/manifest.json" 2>/dev/null
  return 0
}
look() {
  enter || return
  cd sipctl 2>/dev/null || return 0
  state "$1"
}
`;

/** Files and their rights. */
export const readingFunctions = `# Reading: each path is told as f (a file, and where), m (missing), o (leads out), n (no file) or d (denied).
plain() {
  rest=$1 step=
  while :; do
    step=$step\${step:+/}\${rest%%/*}
    [ ! -L "$step" ] || return 1
    case $rest in */*) rest=\${rest#*/} ;; *) return 0 ;; esac
  done
}
resolve() {
  at=$1
  plain "$1" && return 0
  [ -e "$1" ] || return 0
  at=$(realpath "./$1" 2>/dev/null || readlink -f "./$1" 2>/dev/null) || at=
  case $at in "$base"/*) at=\${at#"$base"/} ;; *) return 1 ;; esac
}
pick() {
  if ! resolve "$1"; then
    say "o$at"
  elif [ ! -e "$at" ]; then
    say m
  elif [ ! -f "$at" ]; then
    say "n$base/$at"
  elif [ ! -r "$at" ]; then
    say "d$base/$at"
  else
    say "f$at"
    list=$list$at$newline
  fi
}
send() {
  [ -n "$list" ] || return 0
  echo tar
  (
    IFS=$newline
    set -f
    tar -cf - -- $list
  ) 2>/dev/null
  return 0
}
files() {
  enter || return
  [ "$1" = host ] || cd sipctl 2>/dev/null || cd /dev
  base=$PWD list=
  shift
  for path do pick "$path"; done
  send
}
stat_of() {
  enter || return
  base=$PWD at=.
  [ "$1" = . ] || resolve "$1" || at=$1
  [ -e "$at" ] || [ -L "$at" ] || return 0
  say "$(ls -ld -- "$at" 2>/dev/null)"
  if [ -w "$at" ] && [ ! -L "$at" ]; then say w; fi
}
`;

/** Says who and where this shell is, and answers requests until there are no more. */
export const requestLoop = `printf 'sipctl-%s ready\\n' "$nonce"
say "$(uname -n)"
boot= namespace= line=
{ IFS= read -r boot < /proc/sys/kernel/random/boot_id; } 2>/dev/null
namespace=$(ls -l /proc/self/ns/pid 2>/dev/null)
say "$boot"
say "\${namespace##*-> }"
say $$
{ IFS= read -r line < /proc/$$/stat; } 2>/dev/null
say "$line"
command -v tar >/dev/null 2>&1
printf 'end %s\\n' "$?"
while IFS=' ' read -r size patience; do
  [ -z "$held" ] || watch "$patience"
  request=$(dd bs=1 count="$size" 2>/dev/null)
  case $request in *'#end') ;; *) break ;; esac
  eval "$request"
  printf 'end %s\\n' "$?"
done
watch 0
`;
