echo a >a; echo b >b; mkdir -p d/s; echo x >d/x; ln -s x d/l
