#!/bin/sh
# A sync over two workers on this machine: a server of NATS, two workers, a client, and everything ended again.
#
#   examples/cluster/run.sh [BINARY [NATS-SERVER]]     defaults: target/release/omnistorage, nats-server
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
binary=${1:-$here/target/release/omnistorage}
server=${2:-nats-server}
case $binary in /*) ;; *) binary=$PWD/$binary ;; esac
case $server in /*) ;; */*) server=$PWD/$server ;; esac
work=$(mktemp -d)
started=
end() {
    for process in $started; do kill "$process" 2>/dev/null || :; done
    wait
    rm -rf "$work"
}
trap end EXIT
trap 'exit 130' INT TERM
cd "$work"

# The server writes down which free port it took.
"$server" --addr 127.0.0.1 --port -1 --jetstream --store_dir store --ports_file_dir . 2>server.log &
started=$!
until ports=$(cat ./*.ports 2>/dev/null) && url=$(printf '%s' "$ports" | grep -o 'nats://[0-9.:]*'); do
    kill -0 "$started"
    sleep 0.1
done

for directory in 1 2 3 4 5 6 7 8; do
    mkdir -p "photos/$directory" "backup/$directory"
    for number in 1 2 3 4 5 6 7 8 9; do
        printf '%s' "$number" >"photos/$directory/$number"
    done
    printf 'no longer in photos' >"backup/$directory/old"
done

for worker in one two; do
    "$binary" worker --cluster "$url" --name "$worker" --allow "$work" &
    started="$started $!"
done

"$binary" sync --cluster "$url" --shared-paths --ranges 8 --max-delete 8 photos backup
"$binary" check --cluster "$url" --shared-paths --ranges 8 photos backup
"$binary" cluster status --cluster "$url"
diff -r photos backup
