/** What `role-agent help` prints. */
export const USAGE = `role-agent: keeps this device on its role

  role-agent status [--json]      what runs, what is wanted, what is wrong
  role-agent plan [--json]        what the next run would change, and which services would restart
  role-agent run [--json]         one run now, in the foreground
  role-agent redeploy [--json]    the same, and what is wanted is tried again although it failed here
  role-agent history [--json] [--limit N]
  role-agent logs [--follow] [--json] [--limit N]   the agent's own log, from journald
  role-agent doctor [--json]      what keeps this device from doing its work, and what mends it; exit 1: a problem
  role-agent safe-mode [--json]   whether this device is in safe mode, why, and where its page is
  role-agent safe-mode on | off   stop the stack and show the page; off: try again what is wanted
  role-agent enrol                join the fleet that /etc/role-agent/enroll.json invites to
  role-agent version

The configuration is /etc/role-agent/config.yaml; an example lies beside it.
Exit codes: 0 done, 1 failed, 3 our bug, 64 usage, 75 another run is going on.
`;
