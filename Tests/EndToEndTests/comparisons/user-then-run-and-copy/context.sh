echo a >a; chown 9:9 a
