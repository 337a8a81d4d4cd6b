"""Code that runs in processes other than pytest's: supervisor, fork server, kernels.

Standard library only. All but `supervisor` parses on Python 3.6 and names no TensorFlow, since it
runs in interpreters where nothing of this project is installed. Those are started with this folder
as their script (`python FOLDER ROLE ...`, see `__main__`); nothing else of the project is imported.
"""
