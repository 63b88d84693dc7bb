#!/bin/sh
# Becomes workerd (same pid). Beside it a watcher reads descriptor 4, a pipe to the agent: it gets a line when workerd
# has ended, and nothing but the end of the pipe when the agent is gone, however that happened. Then workerd ends too.
(
  read -r _line <&4 || kill -9 $$
) </dev/null >/dev/null 2>&1 3>&- &
exec "$WORKERD_BINARY" "$@" 4<&-
