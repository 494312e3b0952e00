mkdir empty; : >nothing
