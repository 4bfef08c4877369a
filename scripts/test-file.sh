#!/bin/sh
# run-tests.mjs starts each test file by this script, so that its environment identifies all processes that it starts.
ETHERWS_TEST_FILE=$$ exec "$ETHERWS_TEST_NODE" --import "$(dirname "$0")/test-times.mjs" "$@"
