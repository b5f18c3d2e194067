define(['jquery'], function ($) { return {; });
