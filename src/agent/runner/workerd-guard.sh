#!/bin/sh
# Becomes workerd (same pid); a background watcher ends it when the agent that started it is gone.
parent=$PPID
(
  while kill -0 "$parent" 2>/dev/null && kill -0 $$ 2>/dev/null; do sleep 1; done
  kill -9 $$ 2>/dev/null
) </dev/null >/dev/null 2>&1 3>&- &
exec "$WORKERD_BINARY" "$@"
