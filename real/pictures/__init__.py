"""Folders of pictures: how they are laid out, which classes and parts they say, and the pictures themselves."""
