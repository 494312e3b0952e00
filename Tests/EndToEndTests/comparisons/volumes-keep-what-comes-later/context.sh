echo a >a
