truncate -s 5M s; printf end | dd of=s bs=1 seek=2M conv=notrunc status=none; mkdir d; truncate -s 300K d/hole; : >d/empty
