# Makes one page of each sort and has a browser use them. To be sourced by `.ci/run`,
# from the root, with what `.ci/lib.sh` offers. Whoever wants to look at the screenshots
# names a folder in SCREENSHOTS.

folder
browser=$folder
cp .ci/browser/*.mjs .ci/browser/package*.json "$browser"
npm ci --silent --no-audit --no-fund --ignore-scripts --prefix "$browser"
export SCREENSHOTS=${SCREENSHOTS:-$browser/screenshots}

# Runs the suite on a server with this fault, which must be noticed; the record and its
# page are then in the folder of that name.
broken_run() {
    local told=0
    serve --mutant "$1"
    sed -i "s/^name = .*/name = \"$1\"/" "$target"
    "$program" run --target "$target" --report-dir "$browser/$1" --html --quiet >"$browser/told" || told=$?
    [ "$told" -eq 1 ] || { cat "$browser/told"; echo "exit code $told; wanted: 1"; exit 1; }
    stop
}

# One fault that breaks many rules, and two that break few.
for mutant in count-by-two no-tombstones quotas-are-invalid-parameters; do broken_run "$mutant"; done
runs=("$reports" "$browser"/{count-by-two,no-tombstones,quotas-are-invalid-parameters})
failed=$browser/count-by-two

node "$browser/run.mjs" "$failed/run.html"
size=$(stat -c %s "$failed/run.html")
[ "$size" -lt 1000000 ] || { echo "the page of a failed run has $size bytes"; exit 1; }

node "$browser/multiply.mjs" "$failed/run.jsonl" 20000 "$browser/many.jsonl"
"$program" report html "$browser/many.jsonl" -o "$browser/many.html"
node "$browser/quick.mjs" "$browser/many.html"

# Columns with a page beside them, and records alone.
"$program" report html "$reports" -o "$reports/run.html"
"$program" report matrix "${runs[@]}" -o "$browser/matrix.html" --badges "$browser/badges"
mkdir "$browser/alone"
for run in "${runs[@]}"; do cp "$run/run.jsonl" "$browser/alone/$(basename "$run").jsonl"; done
"$program" report matrix "$browser"/alone/*.jsonl -o "$browser/matrix-alone.html"
node "$browser/matrix.mjs" "$browser/matrix.html" "$browser/matrix-alone.html"

node "$browser/nights.mjs" "$reports/run.jsonl" "$failed/run.jsonl" "$browser"
for night in "$browser/new" "$browser"/history/*-17T*; do "$program" report html "$night" -o "$night/run.html"; done
told=0
"$program" report diff "$browser/old" "$browser/new" -o "$browser/diff.html" || told=$?
[ "$told" -eq 1 ] || { echo "exit code $told; wanted 1 for a regression"; exit 1; }
node "$browser/diff.mjs" "$browser/diff.html"
"$program" report trend "$browser/history" -o "$browser/trend.html"
node "$browser/trend.mjs" "$browser/trend.html"
