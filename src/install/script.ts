// `curl -fsS https://REGISTRY/install.sh | sh`: installs the agent that a registry hands out. It holds no secret, and
// is public. All of it is a function that the last line calls, so that a script that arrives in part does nothing.

/** `key`: what the deployer signs releases with, SPKI as base64. */
export function installScript({ registry, key }: { registry: string; key: string }): string {
  return template.replaceAll("@REGISTRY@", registry).replaceAll("@KEY@", key);
}

const template = String.raw`#!/bin/sh
# Installs the Proconsul agent of @REGISTRY@ on this host.
#
#   curl -fsS @REGISTRY@/install.sh | sh
#   curl -fsS @REGISTRY@/install.sh | sh -s -- --prefix ~/proconsul
#
# The join token comes from $PROCONSUL_TOKEN, or is asked for on the terminal.
set -eu

registry='@REGISTRY@'
key='@KEY@'

usage() {
  cat <<'END'
  --prefix DIR     where to install: DIR/bin, DIR/lib, DIR/etc (/usr/local for root, otherwise ~/.local)
  --data-dir DIR   where the agent keeps its data
  --node NAME      name of this host in the registry; its host name otherwise
  --no-service     write no systemd unit
END
}

say() { printf '%s\n' "$*" >&2; }
die() { say "install: $*"; exit 1; }

fetch() { # URL FILE
  if command -v curl >/dev/null 2>&1; then curl -fsS --retry 2 -o "$2" "$1"
  elif command -v wget >/dev/null 2>&1; then wget -q -O "$2" "$1"
  else die "curl or wget is needed"; fi
}

find_node() {
  for candidate in "$(command -v node || true)" /usr/local/bin/node /usr/bin/node /opt/node/bin/node; do
    [ -n "$candidate" ] && [ -x "$candidate" ] || continue
    "$candidate" -e 'const [a, b] = process.versions.node.split(".").map(Number);
      process.exit(a > 22 || (a === 22 && b >= 18) ? 0 : 1)' 2>/dev/null || continue
    printf '%s' "$candidate"
    return
  done
  die "Node.js 22.18 or newer is needed: https://nodejs.org/en/download, or your system's package manager"
}

# Believes a manifest that the deployer signed, and an archive that the manifest is about. Prints the release's name.
check() { # MANIFEST ARCHIVE
  "$node" -e '
    const { createHash, createPublicKey, verify } = require("crypto");
    const { readFileSync } = require("fs");
    const [key, manifestFile, archiveFile] = process.argv.slice(1);
    const { version, sha256, bytes, signature } = JSON.parse(readFileSync(manifestFile, "utf8"));
    const archive = readFileSync(archiveFile);
    const spki = createPublicKey({ key: Buffer.from(key, "base64"), format: "der", type: "spki" });
    const text = "proconsul " + version + " " + sha256 + " " + bytes;
    if (!verify(null, Buffer.from(text), spki, Buffer.from(signature, "base64"))) {
      throw new Error("the release is not signed by whoever deployed this registry");
    }
    if (archive.length !== bytes || createHash("sha256").update(archive).digest("hex") !== sha256) {
      throw new Error("the archive is not the one that was signed");
    }
    if (!/^[0-9A-Za-z.+-]{1,64}$/.test(version)) throw new Error("the release has no version");
    process.stdout.write(version + "-" + sha256.slice(0, 8));
  ' "$key" "$1" "$2" || die "nothing was installed"
}

read_token() {
  given=$(printenv PROCONSUL_TOKEN || true)
  if [ -n "$given" ]; then printf '%s' "$given"; return; fi
  if [ -s "$etc/agent.env" ]; then return; fi
  if (: >/dev/tty) 2>/dev/null; then
    printf 'Join token: ' >/dev/tty
    stty -echo </dev/tty 2>/dev/null || true
    read -r token </dev/tty || token=
    stty echo </dev/tty 2>/dev/null || true
    printf '\n' >/dev/tty
    printf '%s' "$token"
  fi
}

private_file() { # FILE, from stdin
  ( umask 077; cat >"$1.new"; chmod 600 "$1.new"; mv -f "$1.new" "$1" )
}

main() {
  prefix= data= name= service=yes
  while [ $# -gt 0 ]; do
    case "$1" in
      --prefix|--data-dir|--node) [ $# -gt 1 ] || die "$1 needs a value" ;;
    esac
    case "$1" in
      --prefix) prefix=$2; shift 2 ;;
      --data-dir) data=$2; shift 2 ;;
      --node) name=$2; shift 2 ;;
      --no-service) service=; shift ;;
      -h|--help) usage; exit 0 ;;
      *) usage >&2; die "unknown option $1" ;;
    esac
  done
  root=; [ "$(id -u)" = 0 ] && root=yes
  etc=
  if [ -z "$prefix" ]; then
    if [ -n "$root" ]; then prefix=/usr/local etc=/etc/proconsul; else prefix=$HOME/.local; fi
  fi
  mkdir -p "$prefix"
  prefix=$(cd "$prefix" && pwd)
  [ -n "$etc" ] || etc=$prefix/etc/proconsul
  if [ -z "$data" ]; then
    if [ "$etc" = /etc/proconsul ]; then data=/var/lib/proconsul; else data=$prefix/var/proconsul; fi
  fi
  command -v tar >/dev/null 2>&1 || die "tar is needed"
  node=$(find_node)

  lib=$prefix/lib/proconsul
  mkdir -p "$lib" "$prefix/bin" "$etc" "$data"
  chmod 700 "$data"
  work=$(mktemp -d "$lib/.new-XXXXXX")
  trap 'rm -rf "$work"' EXIT
  trap 'exit 1' HUP INT TERM
  fetch "$registry/install/manifest.json" "$work/manifest.json" || die "$registry hands out no agent"
  fetch "$registry/install/proconsul.tgz" "$work/proconsul.tgz" || die "the archive cannot be fetched"
  release=$(check "$work/manifest.json" "$work/proconsul.tgz")
  mkdir "$work/files"
  tar -xzf "$work/proconsul.tgz" -C "$work/files"
  rm -rf "$lib/$release"
  mv "$work/files" "$lib/$release"
  ln -sfn "$release" "$lib/current"
  ln -sfn "../lib/proconsul/current/proconsul.mjs" "$prefix/bin/proconsul"
  printf '{ "registry": "%s", "key": "%s" }\n' "$registry" "$key" >"$lib/install.json"
  say "Installed $release as $prefix/bin/proconsul"

  if [ ! -e "$etc/agent.json" ]; then
    "$node" -e 'const [registry, data, name] = process.argv.slice(1);
      const node = name === "" ? {} : { node_name: name };
      const acl = { enabled: true, default_policy: "deny" };
      console.log(JSON.stringify({ ...node, data_dir: data, retry_join: [registry], acl }, null, 2))' \
      "$registry" "$data" "$name" | private_file "$etc/agent.json"
  fi
  token=$(read_token)
  [ -z "$token" ] || printf 'PROCONSUL_TOKEN=%s\n' "$token" | private_file "$etc/agent.env"
  [ -s "$etc/agent.env" ] || say "No join token was given: put PROCONSUL_TOKEN=... into $etc/agent.env"

  if [ -n "$service" ] && [ -n "$root" ] && [ -d /run/systemd/system ]; then
    cat >/etc/systemd/system/proconsul.service <<END
[Unit]
Description=Proconsul agent
Wants=network-online.target
After=network-online.target

[Service]
EnvironmentFile=-$etc/agent.env
ExecStart=$node $lib/current/proconsul.mjs agent -config-file $etc/agent.json
ExecReload=/bin/kill -HUP \$MAINPID
KillSignal=SIGINT
Restart=on-failure
RestartSec=5

[Install]
WantedBy=multi-user.target
END
    systemctl daemon-reload
    systemctl enable proconsul >/dev/null 2>&1
    systemctl restart proconsul
    say "Started the service proconsul"
  else
    say "Start it with:"
    say "  (set -a; . $etc/agent.env; exec $prefix/bin/proconsul agent -config-file $etc/agent.json)"
  fi
}

main "$@"
`;
