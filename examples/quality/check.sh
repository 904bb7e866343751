#!/usr/bin/env bash
# Measure a model on labelled comments, choose thresholds from them, and measure again with these.
#
#   examples/quality/check.sh labelled.csv [sluice settings, such as --model ./my-checkpoint]
set -euo pipefail

labelled="$1"
shift
thresholds="$(mktemp -d)/thresholds.json"

sluice evaluate "$labelled" "$@"
sluice thresholds "$labelled" --name checked@1 --output "$thresholds" "$@"
sluice evaluate "$labelled" --set "model.thresholds=$thresholds" "$@"
echo "the set is in $thresholds"
