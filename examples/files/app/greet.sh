#!/bin/sh
# Greets everyone in the list.
while read -r name; do
  echo "Hello, $name."
done <"$(dirname "$0")/names.txt"
