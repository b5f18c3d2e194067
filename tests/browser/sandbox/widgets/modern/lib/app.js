define(['vendor/underscore', 'vendor/backbone'], (under, Backbone) => ({ same: under === window._ && Backbone === window.Backbone }));
