echo a >a; mkdir -p d/s; echo x >d/s/x; echo y >d/y; chmod 750 d/y
