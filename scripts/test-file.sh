#!/bin/sh
# run-tests.mjs starts each test file through this, so that all that the file starts can be told by its environment.
ETHERWS_TEST_FILE=$$ exec "$ETHERWS_TEST_NODE" "$@"
