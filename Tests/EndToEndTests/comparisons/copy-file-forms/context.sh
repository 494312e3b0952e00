echo a >a; echo b >b; chmod 640 b; mkdir d; chown 5:6 a
