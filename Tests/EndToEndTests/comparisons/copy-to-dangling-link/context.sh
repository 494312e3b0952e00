echo new >a
