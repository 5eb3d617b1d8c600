#!/bin/bash
# The check programs against real counterparts on loopback.
set -u
plugins=$BUILD/plugins/check
dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$dir"' EXIT
failed=0

# judge WHAT STATUS TEXT COMMAND...: its exit status, and a part of what it prints
judge() {
	local what=$1 status=$2 text=$3 output real
	shift 3
	output=$("$@" 2>&1)
	real=$?
	if [ $real = "$status" ] && [[ $output == *"$text"* ]]; then
		echo "ok $what"
	else
		echo "not ok $what: exit status $real, wanted $status; \"$output\", wanted \"$text\""
		failed=1
	fi
}

cat >"$dir/server.py" <<'END'
import http.server, sys, time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/slow":
            time.sleep(5)
        if self.path == "/flood":
            self.send_response(200); self.end_headers()
            try:
                while True: self.wfile.write(b"x" * 65536)
            except OSError: return
        if self.path.startswith("/status/"):
            status = int(self.path[8:])
            self.send_response(status)
            if 300 <= status < 400: self.send_header("Location", "/status/500")
            self.send_header("Content-Length", "0")
            self.end_headers()
    def log_message(self, *arguments): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
END
coproc SERVER { exec python3 "$dir/server.py"; }
server=$SERVER_PID
read -r port <&"${SERVER[0]}"
url=http://127.0.0.1:$port

http() { HBD_PARAMETER_HTTP=$1 HBD_TIMEOUT_MS=${2:-2000} "$plugins/http"; }
judge "http: 200 is good" 0 "status 200" http "$url/status/200"
judge "http: 204 is good" 0 "status 204" http "$url/status/204"
judge "http: a redirect is an answer and is not followed" 0 "status 302" http "$url/status/302"
judge "http: 404 is bad" 1 "status 404" http "$url/status/404"
judge "http: 503 is bad" 1 "status 503" http "$url/status/503"
judge "http: a slow server is bad in time" 1 "timed out" http "$url/slow" 300
judge "http: an endless body is not waited for" 0 "status 200" http "$url/flood"
judge "http: nobody listens" 1 "connect" http "http://127.0.0.1:1/"
judge "http: no other protocol" 1 "not supported" http "file:///etc/passwd"
judge "http: no URL" 1 "not set" "$plugins/http"

tcp() { HBD_PARAMETER_TCP=$1 HBD_TIMEOUT_MS=1000 "$plugins/tcp"; }
judge "tcp: a listening port is good" 0 "accepted a connection" tcp "127.0.0.1:$port"
judge "tcp: by name" 0 "accepted a connection" tcp "localhost:$port"
judge "tcp: nobody listens" 1 "refused" tcp "127.0.0.1:1"
judge "tcp: an IPv6 address is understood" 1 "[::1]:1: " tcp "[::1]:1"
judge "tcp: not HOST:PORT" 1 "is not HOST:PORT" tcp "127.0.0.1"
judge "tcp: nothing to check" 1 "not set" "$plugins/tcp"

file() { HBD_PARAMETER_FILE=$1 "$plugins/file"; }
judge "file: it exists" 0 "exists" file "$dir/server.py"
judge "file: it does not" 1 "does not exist" file "$dir/nothing"
judge "file: a link to nothing" 1 "does not exist" file "$(ln -s nowhere "$dir/link"; echo "$dir/link")"

judge "unit: none is named" 1 "not set" "$plugins/unit"
judge "unit: no bus, no verdict" 1 "there is no system bus" \
	env DBUS_SYSTEM_BUS_ADDRESS=unix:path="$dir/nothing" HBD_PARAMETER_UNIT=x.service "$plugins/unit"

exit $failed
