mkdir d; mkfifo d/fifo; mknod d/null c 1 3; mknod d/block b 7 9; chmod 620 d/null; echo x >d/x
