#!/usr/bin/env bash
# Measure a model on labelled comments, choose thresholds from them, and measure again with these.
#
#   examples/quality/check.sh labelled.csv [sluice settings, such as --model ./my-checkpoint]
set -euo pipefail

labelled="$1"
shift
thresholds="$(mktemp -d)/thresholds.json"

sluice evaluate "$labelled" "$@"
# A dozen comments prove nothing about a precision; with a few hundred leave out the rule, and choose both tiers.
sluice thresholds "$labelled" --rule best-f1 --few never --name checked@1 --output "$thresholds" "$@"
sluice evaluate "$labelled" --set "model.thresholds=$thresholds" "$@"
echo "the set is in $thresholds"
