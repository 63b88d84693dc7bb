#!/bin/sh
# Starts the agent, or runs a command, as images of Consul do:
#
#   CONSUL_BIND_INTERFACE    network interface whose address the agent binds to and advertises
#   CONSUL_CLIENT_INTERFACE  the same for HTTP and DNS
#   CONSUL_LOCAL_CONFIG      configuration, HCL or JSON, beside the files in /consul/config
#
# Whatever begins with "-", and "agent", starts the agent with /consul/data and /consul/config; any other command of the
# command line is run; everything else is a program of the image.
set -eu

data=${CONSUL_DATA_DIR:-/consul/data}
config=${CONSUL_CONFIG_DIR:-/consul/config}

case "${1:-}" in
  -*) set -- agent "$@" ;;
  consul | proconsul) shift ;;
esac

if [ "${1:-}" = agent ]; then
  shift
  if [ -n "${CONSUL_CLIENT_INTERFACE:-}" ]; then
    set -- "-client={{ GetInterfaceIP \"$CONSUL_CLIENT_INTERFACE\" }}" "$@"
  fi
  if [ -n "${CONSUL_BIND_INTERFACE:-}" ]; then
    set -- "-bind={{ GetInterfaceIP \"$CONSUL_BIND_INTERFACE\" }}" "$@"
  fi
  if [ -n "${CONSUL_LOCAL_CONFIG:-}" ]; then
    # Behind the files of the directory, and never in it: that may be somebody's volume.
    local=$(mktemp -d)/local.hcl
    case "$CONSUL_LOCAL_CONFIG" in
      '{'* | [[:space:]]*'{'*) local=${local%.hcl}.json ;;
    esac
    printf '%s\n' "$CONSUL_LOCAL_CONFIG" > "$local"
    set -- "-config-file=$local" "$@"
  fi
  exec proconsul agent "-data-dir=$data" "-config-dir=$config" "$@"
fi

# Asks for help of the first word alone, which is never told to do anything.
if [ -n "${1:-}" ] && proconsul "$1" -h 2>&1 | head -n 1 | grep -q "^Usage: .* $1"; then
  exec proconsul "$@"
fi
exec "$@"
