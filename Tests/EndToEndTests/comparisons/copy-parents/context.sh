mkdir -p a/b a/c x/y; echo f >a/b/f; echo 1 >a/c/1.txt; echo 2 >x/y/2.txt; echo 3 >3.txt; chmod 711 a/b
