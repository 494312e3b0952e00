mkdir -p d1/s d2/s; echo 1 >d1/a; echo 2 >d2/b; echo 3 >d1/s/c; echo 4 >d2/s/c
