echo a >a; mkdir d
