"""The routes: one declaration and one short view each, in blueprints."""
