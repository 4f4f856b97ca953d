interface Script {
  readonly url: string;
  /** PEM. */
  readonly authority: string;
  readonly pin: string;
  /** Of the agent's package. */
  readonly sha256: string;
}

/**
 * The installer that a Pi pipes into `sh`: everything is in a function that the last line calls, so that a cut download
 * runs nothing. It may be run twice.
 */
export function installScript({ url, authority, pin, sha256 }: Script): string {
  return `#!/bin/sh
# Joins this device to the fleet at ${url}
set -eu

main() {
  [ "$(id -u)" = 0 ] || fail 'This needs root: run it with sudo.'
  [ -n "\${FLEET_TOKEN:-}" ] || fail 'FLEET_TOKEN is empty. Copy the whole line that the overlord printed.'
  command -v apt-get >/dev/null || fail 'This is for Raspberry Pi OS and Debian: there is no apt-get here.'
  case $(dpkg --print-architecture) in
  arm64 | armhf | amd64) ;;
  *) fail "The architecture $(dpkg --print-architecture) is not supported: arm64, armhf (ARMv7) or amd64." ;;
  esac

  echo 'Metrica Fleet: installs the package role-agent (with Docker and Compose where they are missing), and enrols'
  echo "this device with ${url}. Nothing else is changed. To undo: apt-get purge role-agent"

  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  curl -fsSk --pinnedpubkey '${pin}' --retry 3 --connect-timeout 20 -o "$work/role-agent.deb" \\
    ${url}/install/role-agent.deb || fail 'The package could not be fetched from the overlord.'
  echo '${sha256}  '"$work/role-agent.deb" | sha256sum --check --quiet ||
    fail 'The package is not the one that the overlord announced. Try again.'
  if ! dpkg -s role-agent >/dev/null 2>&1 || [ "$(dpkg-deb -f "$work/role-agent.deb" Version)" != \\
    "$(dpkg-query -W -f '\${Version}' role-agent)" ]; then
    chmod 755 "$work"
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$work/role-agent.deb" ||
      fail 'The package could not be installed; apt-get says why above. Try: apt-get update'
  fi

  mkdir -p /etc/role-agent
  umask 077
  cat >/etc/role-agent/enroll.json.part <<ENROL
{"url": "${url}", "ca": ${JSON.stringify(authority).replaceAll('$', '\\$').replaceAll('`', '\\`').replaceAll('\\n', '\\\\n')}, "token": "$FLEET_TOKEN", "issued_at": "${new Date().toISOString().slice(0, 19)}Z"}
ENROL
  mv /etc/role-agent/enroll.json.part /etc/role-agent/enroll.json
  if [ -d /run/systemd/system ]; then systemctl restart --no-block role-agent-enrol.service; fi
  echo 'Done. It enrols now, and after each boot until it has: role-agent status'
}

fail() {
  echo "install.sh: $1" >&2
  exit 1
}

main
`;
}
