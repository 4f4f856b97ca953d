#!/bin/sh
# role-agent COMMAND: what people and units call. It starts Node; what works on the stack shares a lock, `pull` and
# `enrol` have their own. `--unit` behind run or pull: systemd calls, so a second one is nothing to report.
# ROLE_AGENT_ROOT puts every path under another root, ROLE_AGENT_NODE names another Node: both for tests.

root=${ROLE_AGENT_ROOT:-}
run=$root/run/role-agent
node=${ROLE_AGENT_NODE:-/usr/bin/node}
bundle=$root/usr/lib/role-agent/role-agent.cjs

case ${1:-} in
run | plan | redeploy) lock=$run/lock ;;
safe-mode)
  case " $* " in
  *' on '* | *' off '*) lock=$run/lock ;;
  *) exec "$node" "$bundle" "$@" ;;
  esac
  ;;
enrol) lock=$run/enrol-lock ;;
pull) lock=$run/pull-lock ;;
*) exec "$node" "$bundle" "$@" ;;
esac

unit=
if [ "${2:-}" = --unit ]; then
  unit=yes
  set -- "$1"
fi

mkdir -p "$run" 2>/dev/null
if ! [ -w "$run" ]; then
  echo "role-agent: '$1' writes to $run and needs root: sudo role-agent $1" >&2
  exit 77
fi

# Descriptor 9 carries the lock over exec into Node, which marks it close-on-exec at its start: the lock lives exactly
# as long as the Node process, whatever kills it and whatever children it leaves behind.
exec 9>"$lock"
if ! flock -n 9; then
  # The enrolment unit tries until a try was well: one that was not made does not count.
  [ -n "$unit" ] && [ "$1" != enrol ] && exit 0
  echo "role-agent: another run is going on; nothing done. See: role-agent status" >&2
  exit 75
fi

# From here on the wake is ours. And until this run names the next one, that is due at once: a run that dies is
# followed by another within a minute, whatever killed it.
case $1 in
run | redeploy | safe-mode)
  [ -e "$run/woken" ] && export ROLE_AGENT_WOKEN=yes
  rm -f "$run/woken" "$run/next-due"
  ;;
esac

exec "$node" "$bundle" "$@"
